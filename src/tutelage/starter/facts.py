"""What is true in the starter's small world: tables of words, one thing a line, `|` between the columns.

A `-` means that nothing is told. The first column names the thing; `relations.py` says which columns make which kind of
fact. Nearly every fact is a plain truth about the real world, so that whoever reads an answer can judge it.
"""

from __future__ import annotations

ANIMALS = """
# name | Chinese | sound | young | home | food
dog | 狗 | woof | a puppy | a kennel | bones
cat | 猫 | meow | a kitten | a basket | mice
cow | 牛 | moo | a calf | a barn | grass
sheep | 羊 | baa | a lamb | a meadow | clover
horse | 马 | neigh | a foal | a stable | hay
pig | 猪 | oink | a piglet | a sty | scraps
duck | 鸭 | quack | a duckling | a pond | weeds
hen | 鸡 | cluck | a chick | a coop | grain
lion | 狮子 | roar | a cub | the savanna | zebras
bear | 熊 | growl | - | a cave | honey
wolf | 狼 | howl | a pup | the hills | deer
frog | 青蛙 | croak | a tadpole | a swamp | flies
owl | 猫头鹰 | hoot | an owlet | a hollow tree | voles
bee | 蜜蜂 | buzz | a grub | a hive | nectar
snake | 蛇 | hiss | a snakelet | the sand | eggs
bird | 鸟 | tweet | a nestling | a nest | seeds
mouse | 老鼠 | squeak | a pinkie | a hole | cheese
goose | 鹅 | honk | a gosling | a lake | reeds
elephant | 大象 | trumpet | - | the plains | leaves
monkey | 猴子 | chatter | - | the jungle | bananas
rabbit | 兔子 | - | a bunny | a burrow | carrots
kangaroo | 袋鼠 | - | a joey | the outback | shrubs
goat | 山羊 | bleat | a kid | the mountains | thistles
eagle | 老鹰 | screech | an eaglet | a cliff | snakes
"""

THINGS = """
# name | Chinese | colour | Chinese colour
snow | 雪 | white | 白色
grass | 草 | green | 绿色
sky | 天空 | blue | 蓝色
coal | 煤 | black | 黑色
blood | 血 | red | 红色
lemon | 柠檬 | yellow | 黄色
carrot | 胡萝卜 | orange | 橙色
milk | 牛奶 | white | 白色
sun | 太阳 | yellow | 黄色
cherry | 樱桃 | red | 红色
spinach | 菠菜 | green | 绿色
pumpkin | 南瓜 | orange | 橙色
ash | 灰 | grey | 灰色
eggplant | 茄子 | purple | 紫色
tomato | 番茄 | red | 红色
cucumber | 黄瓜 | green | 绿色
salt | 盐 | white | 白色
chocolate | 巧克力 | brown | 棕色
mud | 泥 | brown | 棕色
ocean | 大海 | blue | 蓝色
night | 夜晚 | black | 黑色
leaf | 树叶 | green | 绿色
tangerine | 橘子 | orange | 橙色
lavender | 薰衣草 | purple | 紫色
"""

TOOLS = """
# name | purpose | material
key | opening doors | metal
broom | sweeping floors | straw
spoon | eating soup | silver
knife | cutting bread | steel
cup | drinking tea | clay
hammer | hitting nails | iron
umbrella | keeping dry | cloth
chair | sitting | wood
brush | painting walls | hair
comb | tidying hair | plastic
soap | washing hands | fat
towel | drying hands | cotton
rope | tying knots | hemp
bell | calling people | bronze
window | letting light in | glass
book | reading | paper
ring | wearing on a finger | gold
boat | crossing rivers | planks
oven | baking cakes | brick
tyre | rolling along | rubber
"""

JOBS = """
# name | task | place | tool
baker | bakes bread | a bakery | a rolling pin
teacher | teaches children | a school | chalk
doctor | heals the sick | a hospital | bandages
farmer | grows wheat | a farm | a tractor
sailor | sails ships | a harbour | a compass
pilot | flies planes | an airport | a headset
tailor | makes clothes | a workshop | a needle
painter | paints pictures | a studio | an easel
cook | makes dinner | a kitchen | a pan
miner | digs for ore | a mine | a pickaxe
judge | decides cases | a court | a gavel
barber | cuts hair | a salon | scissors
banker | lends money | a bank | a safe
soldier | guards the land | a camp | a shield
librarian | lends books | a library | a stamp
blacksmith | shapes iron | a forge | an anvil
fisherman | catches fish | a trawler | a net
gardener | plants flowers | a park | a spade
astronaut | explores space | a rocket | a spacesuit
waiter | serves meals | a restaurant | a tray
"""

COUNTRIES = """
# name | Chinese | capital | Chinese capital | language
France | 法国 | Paris | 巴黎 | French
Japan | 日本 | Tokyo | 东京 | Japanese
Egypt | 埃及 | Cairo | 开罗 | Arabic
Italy | 意大利 | Rome | 罗马 | Italian
Spain | 西班牙 | Madrid | 马德里 | Spanish
China | 中国 | Beijing | 北京 | Chinese
Russia | 俄罗斯 | Moscow | 莫斯科 | Russian
Germany | 德国 | Berlin | 柏林 | German
Greece | 希腊 | Athens | 雅典 | Greek
England | 英国 | London | 伦敦 | English
Kenya | 肯尼亚 | Nairobi | 内罗毕 | Swahili
Norway | 挪威 | Oslo | 奥斯陆 | Norwegian
Sweden | 瑞典 | Stockholm | 斯德哥尔摩 | Swedish
Finland | 芬兰 | Helsinki | 赫尔辛基 | Finnish
Poland | 波兰 | Warsaw | 华沙 | Polish
Portugal | 葡萄牙 | Lisbon | 里斯本 | Portuguese
Hungary | 匈牙利 | Budapest | 布达佩斯 | Hungarian
Thailand | 泰国 | Bangkok | 曼谷 | Thai
Vietnam | 越南 | Hanoi | 河内 | Vietnamese
Turkey | 土耳其 | Ankara | 安卡拉 | Turkish
"""

OPPOSITES = """
# word | Chinese | opposite | Chinese opposite
big | 大 | small | 小
hot | 热 | cold | 冷
fast | 快 | slow | 慢
high | 高 | low | 低
long | 长 | short | 短
old | 旧 | new | 新
full | 满 | empty | 空
rich | 富 | poor | 穷
strong | 强 | weak | 弱
thick | 厚 | thin | 薄
light | 轻 | heavy | 重
early | 早 | late | 晚
near | 近 | far | 远
deep | 深 | shallow | 浅
good | 好 | bad | 坏
"""

NUMBERS = """
# number | Chinese
one | 一
two | 二
three | 三
four | 四
five | 五
six | 六
seven | 七
eight | 八
nine | 九
ten | 十
"""


def parse_table(table: str) -> list[list[str]]:
    """The table's lines as lists of cells, without the comment lines.

    >>> parse_table("# name | sound\\ndog | woof\\nhorse | -")
    [['dog', 'woof'], ['horse', '-']]
    """
    lines = (line for line in table.splitlines() if line and not line.startswith("#"))
    return [[cell.strip() for cell in line.split("|")] for line in lines]
