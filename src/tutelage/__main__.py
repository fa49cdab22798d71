"""`python -m tutelage` is `tutelage`; torchrun starts several processes of it so."""

from tutelage.cli.main import main

main()
