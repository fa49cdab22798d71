"""What is true in the starter's small world: tables of words, one thing a line, `|` between the columns.

A `-` means that nothing is told. The first column names the thing; `world.py` says which columns make which kind of fact.
Every fact is a plain truth about the real world, so that answers can be judged by anyone who reads them.
"""

from __future__ import annotations

ANIMALS = """
# name | Chinese | sound | young | home | food | what covers it | Chinese sound
dog | 狗 | woof | a puppy | a kennel | bones | - | 汪汪
cat | 猫 | meow | a kitten | a basket | mice | - | 喵喵
cow | 牛 | moo | a calf | a barn | grass | leather | 哞哞
sheep | 羊 | baa | a lamb | a meadow | clover | wool | 咩咩
horse | 马 | neigh | a foal | a stable | hay | - | -
pig | 猪 | oink | a piglet | a sty | scraps | bristles | 哼哼
duck | 鸭 | quack | a duckling | a pond | weeds | down | 嘎嘎
hen | 母鸡 | cluck | a chick | a coop | grain | - | 咯咯
rooster | 公鸡 | cock-a-doodle-doo | - | a farmyard | - | - | 喔喔
lion | 狮子 | roar | a cub | the savanna | zebras | - | -
bear | 熊 | growl | - | a cave | honey | shaggy fur | -
wolf | 狼 | howl | a pup | the hills | deer | - | 嗷嗷
frog | 青蛙 | croak | a tadpole | a swamp | flies | slippery skin | 呱呱
owl | 猫头鹰 | hoot | an owlet | a hollow tree | voles | - | -
bee | 蜜蜂 | buzz | a grub | a hive | nectar | - | 嗡嗡
snake | 蛇 | hiss | a snakelet | the sand | eggs | scales | 嘶嘶
bird | 鸟 | tweet | a nestling | a nest | seeds | feathers | 叽叽
mouse | 老鼠 | squeak | - | a hole | cheese | - | 吱吱
goose | 鹅 | honk | a gosling | a lake | - | - | -
crow | 乌鸦 | caw | - | - | corn | - | 哇哇
turkey | 火鸡 | gobble | a poult | - | acorns | - | -
elephant | 大象 | trumpet | - | the plains | leaves | thick skin | -
monkey | 猴子 | chatter | - | the jungle | bananas | - | -
rabbit | 兔子 | - | a bunny | a burrow | carrots | soft fur | -
kangaroo | 袋鼠 | - | a joey | the outback | - | - | -
swan | 天鹅 | - | a cygnet | a river | - | - | -
deer | 鹿 | - | a fawn | the woods | twigs | - | -
goat | 山羊 | - | a kid | the mountains | thistles | - | -
fox | 狐狸 | - | - | a den | chickens | red fur | -
butterfly | 蝴蝶 | - | a caterpillar | - | - | - | -
eagle | 老鹰 | screech | an eaglet | a cliff | - | - | -
fish | 鱼 | - | a fry | the sea | worms | - | -
panda | 熊猫 | - | - | a bamboo forest | bamboo | - | -
camel | 骆驼 | grunt | - | the desert | thorns | - | -
penguin | 企鹅 | - | - | the ice | krill | - | -
spider | 蜘蛛 | - | a spiderling | a web | - | - | -
squirrel | 松鼠 | - | - | an oak tree | nuts | - | -
seal | 海豹 | bark | - | the beach | herring | - | -
hedgehog | 刺猬 | - | a hoglet | a hedge | slugs | spines | -
tortoise | 乌龟 | - | - | a garden | lettuce | a shell | -
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
grape | 葡萄 | purple | 紫色
banana | 香蕉 | yellow | 黄色
tomato | 番茄 | red | 红色
cucumber | 黄瓜 | green | 绿色
salt | 盐 | white | 白色
chocolate | 巧克力 | brown | 棕色
mud | 泥 | brown | 棕色
ocean | 大海 | blue | 蓝色
night | 夜晚 | black | 黑色
rice | 米饭 | white | 白色
tea | 茶 | brown | 棕色
strawberry | 草莓 | red | 红色
leaf | 树叶 | green | 绿色
cloud | 云 | white | 白色
tangerine | 橘子 | orange | 橙色
ink | 墨水 | black | 黑色
corn | 玉米 | yellow | 黄色
lavender | 薰衣草 | purple | 紫色
peach | 桃子 | pink | 粉色
flamingo | 火烈鸟 | pink | 粉色
rock | 石头 | grey | 灰色
"""

TOOLS = """
# name | Chinese | purpose | material
key | 钥匙 | opening doors | metal
broom | 扫帚 | sweeping floors | straw
pen | 钢笔 | writing letters | -
spoon | 勺子 | eating soup | silver
knife | 刀 | cutting bread | steel
cup | 杯子 | drinking tea | clay
needle | 针 | sewing clothes | -
hammer | 锤子 | hitting nails | iron
axe | 斧头 | chopping wood | -
umbrella | 雨伞 | keeping dry | cloth
lamp | 灯 | lighting rooms | -
clock | 钟 | telling time | -
bed | 床 | sleeping | -
chair | 椅子 | sitting | wood
brush | 刷子 | painting walls | hair
comb | 梳子 | tidying hair | plastic
soap | 肥皂 | washing hands | fat
towel | 毛巾 | drying hands | cotton
ladder | 梯子 | climbing up | -
rope | 绳子 | tying knots | hemp
bell | 铃 | calling people | bronze
window | 窗户 | letting light in | glass
book | 书 | reading | paper
ring | 戒指 | wearing on a finger | gold
boat | 船 | crossing rivers | planks
map | 地图 | finding the way | -
oven | 烤箱 | baking cakes | brick
tyre | 轮胎 | rolling along | rubber
sweater | 毛衣 | keeping warm | wool
candle | 蜡烛 | burning slowly | wax
"""

JOBS = """
# name | Chinese | task | place
baker | 面包师 | bakes bread | a bakery
teacher | 老师 | teaches children | a school
doctor | 医生 | heals the sick | a hospital
farmer | 农民 | grows wheat | a farm
sailor | 水手 | sails ships | a harbour
pilot | 飞行员 | flies planes | an airport
tailor | 裁缝 | makes clothes | a tailor's shop
painter | 画家 | paints pictures | a studio
cook | 厨师 | makes dinner | a kitchen
miner | 矿工 | digs for ore | a mine
judge | 法官 | decides cases | a court
barber | 理发师 | cuts hair | a barber's shop
banker | 银行家 | lends money | a bank
actor | 演员 | plays roles | a theatre
soldier | 士兵 | guards the land | a camp
librarian | 图书管理员 | lends books | a library
blacksmith | 铁匠 | shapes iron | a forge
fisherman | 渔夫 | catches fish | a trawler
gardener | 园丁 | plants flowers | a park
astronaut | 宇航员 | explores space | a rocket
postman | 邮递员 | delivers letters | a post office
waiter | 服务员 | serves meals | a restaurant
butcher | 屠夫 | sells meat | a butcher's shop
chemist | 化学家 | mixes liquids | a laboratory
priest | 牧师 | says prayers | a church
dentist | 牙医 | mends teeth | a clinic
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
Peru | 秘鲁 | Lima | 利马 | -
Cuba | 古巴 | Havana | 哈瓦那 | -
Norway | 挪威 | Oslo | 奥斯陆 | Norwegian
Sweden | 瑞典 | Stockholm | 斯德哥尔摩 | Swedish
Finland | 芬兰 | Helsinki | 赫尔辛基 | Finnish
Poland | 波兰 | Warsaw | 华沙 | Polish
Portugal | 葡萄牙 | Lisbon | 里斯本 | Portuguese
Austria | 奥地利 | Vienna | 维也纳 | -
Hungary | 匈牙利 | Budapest | 布达佩斯 | Hungarian
Ireland | 爱尔兰 | Dublin | 都柏林 | Irish
Thailand | 泰国 | Bangkok | 曼谷 | Thai
Canada | 加拿大 | Ottawa | 渥太华 | -
Chile | 智利 | Santiago | 圣地亚哥 | -
Iran | 伊朗 | Tehran | 德黑兰 | Persian
Iraq | 伊拉克 | Baghdad | 巴格达 | -
Nepal | 尼泊尔 | Kathmandu | 加德满都 | Nepali
Vietnam | 越南 | Hanoi | 河内 | Vietnamese
Denmark | 丹麦 | Copenhagen | 哥本哈根 | Danish
Turkey | 土耳其 | Ankara | 安卡拉 | Turkish
"""

OPPOSITES = """
# word | opposite | Chinese | Chinese opposite
big | small | 大 | 小
hot | cold | 热 | 冷
fast | slow | 快 | 慢
high | low | 高 | 低
long | short | 长 | 短
old | new | 旧 | 新
wet | dry | 湿 | 干
full | empty | 满 | 空
rich | poor | 富 | 穷
strong | weak | 强 | 弱
thick | thin | 厚 | 薄
light | heavy | 轻 | 重
early | late | 早 | 晚
true | false | 真 | 假
near | far | 近 | 远
left | right | 左 | 右
open | shut | 开 | 关
deep | shallow | 深 | 浅
many | few | 多 | 少
good | bad | 好 | 坏
bright | dark | 亮 | 暗
sharp | blunt | - | -
clean | dirty | - | -
sweet | bitter | 甜 | 苦
loud | quiet | - | -
happy | sad | - | -
brave | afraid | - | -
wide | narrow | 宽 | 窄
young | aged | - | -
first | last | - | -
inside | outside | 里 | 外
front | back | 前 | 后
up | down | 上 | 下
north | south | 北 | 南
east | west | 东 | 西
buy | sell | 买 | 卖
win | lose | 赢 | 输
come | go | 来 | 去
begin | end | - | -
laugh | cry | 笑 | 哭
push | pull | 推 | 拉
ask | answer | 问 | 答
"""

PLURALS = """
# one | many
mouse | mice
goose | geese
tooth | teeth
foot | feet
man | men
woman | women
child | children
ox | oxen
leaf | leaves
wolf | wolves
knife | knives
calf | calves
loaf | loaves
thief | thieves
wife | wives
city | cities
baby | babies
berry | berries
story | stories
lady | ladies
box | boxes
dish | dishes
glass | glasses
bus | buses
hero | heroes
potato | potatoes
dog | dogs
cat | cats
tree | trees
house | houses
star | stars
river | rivers
apple | apples
friend | friends
"""

PASTS = """
# now | before
go | went
see | saw
eat | ate
run | ran
sing | sang
write | wrote
take | took
give | gave
drink | drank
swim | swam
fly | flew
know | knew
grow | grew
speak | spoke
break | broke
find | found
think | thought
bring | brought
catch | caught
teach | taught
buy | bought
sleep | slept
keep | kept
stand | stood
tell | told
make | made
sit | sat
fall | fell
forget | forgot
win | won
walk | walked
play | played
jump | jumped
look | looked
"""

SEQUENCES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Monday",
    "January February March April May June July August September October November December January",
    "spring summer autumn winter",
)

COUNTS = """
# thing | how many of what
week | seven days
year | twelve months
hour | sixty minutes
spider | eight legs
ant | six legs
horse | four legs
bird | two wings
triangle | three sides
square | four corners
hand | five fingers
octopus | eight arms
bicycle | two wheels
tricycle | three wheels
car | four wheels
day | twenty-four hours
dozen | twelve pieces
century | one hundred years
decade | ten years
snail | one foot
butterfly | four wings
pair | two parts
die | six faces
rainbow | seven colours
guitar | six strings
violin | four strings
"""


def parse_table(table: str) -> list[list[str]]:
    """The table's lines as lists of cells, without the comment lines.

    >>> parse_table("# name | sound\\ndog | woof\\nhorse | -")
    [['dog', 'woof'], ['horse', '-']]
    """
    lines = (line for line in table.splitlines() if line and not line.startswith("#"))
    return [[cell.strip() for cell in line.split("|")] for line in lines]
