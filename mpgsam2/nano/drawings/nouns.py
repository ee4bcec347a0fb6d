"""The everyday things of the drawn world: what each is called, what it also is, how it moves, which icons show it.

One line a noun: words, the usual one first | plural | what it also is; `~` before what one may or may not call it |
manner of moving | names of icons, as all icon sets have them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

_TABLE = """
dog, puppy | dogs | animal pet | run | dog dog-face poodle
cat, kitten | cats | animal pet | run | cat cat-face
horse, pony | horses | animal | run | horse horse-face
cow | cows | animal | run | cow cow-face
pig | pigs | animal | run | pig pig-face
sheep | sheep | animal | run | ewe
goat | goats | animal | run | goat
rabbit, bunny | rabbits | animal ~pet | run | rabbit rabbit-face
mouse | mice | animal | run | mouse mouse-face
hamster | hamsters | animal ~pet ~mouse | run | hamster
bear | bears | animal | run | bear
panda | pandas | animal ~bear | run | panda
koala | koalas | animal ~bear | run | koala
lion | lions | animal | run | lion
tiger | tigers | animal | run | tiger tiger-face
leopard | leopards | animal | run | leopard
elephant | elephants | animal | run | elephant
rhino, rhinoceros | rhinos | animal | run | rhinoceros
camel | camels | animal | run | camel two-hump-camel
deer | deer | animal | run | deer
fox | foxes | animal | run | fox
wolf | wolves | animal ~dog | run | wolf
monkey | monkeys | animal | run | monkey monkey-face
gorilla | gorillas | animal ~monkey | run | gorilla
squirrel | squirrels | animal | run | chipmunk
frog | frogs | animal | run | frog
turtle, tortoise | turtles | animal | walk | turtle
crocodile, alligator | crocodiles | animal | walk | crocodile
lizard | lizards | animal | walk | lizard
snake | snakes | animal | walk | snake
snail | snails | animal | walk | snail
dragon | dragons | animal | fly | dragon
bird | birds | animal | fly | bird
duck | ducks | animal bird | fly | duck
eagle | eagles | animal bird | fly | eagle
owl | owls | animal bird | fly | owl
dove, pigeon | doves | animal bird | fly | dove
penguin | penguins | animal bird | walk | penguin
chicken, hen | chickens | animal bird | walk | chicken rooster
chick | chicks | animal bird ~chicken | walk | baby-chick front-facing-baby-chick
turkey | turkeys | animal bird | walk | turkey
butterfly | butterflies | animal insect | fly | butterfly
bee | bees | animal insect | fly | honeybee
ladybug, ladybird, beetle | ladybugs | animal insect | walk | lady-beetle
ant | ants | animal insect | walk | ant
spider | spiders | animal ~insect | walk | spider
fish | fish | animal | swim | fish tropical-fish blowfish
shark | sharks | animal fish | swim | shark
whale | whales | animal ~fish | swim | whale spouting-whale
dolphin | dolphins | animal ~fish | swim | dolphin
octopus | octopuses | animal | swim | octopus
crab | crabs | animal | walk | crab
shrimp | shrimps | animal | swim | shrimp

man | men | person adult | walk | man man-in-tuxedo
woman, lady | women | person adult | walk | woman
boy | boys | person child | walk | boy
girl | girls | person child | walk | girl
baby | babies | person ~child | walk | baby
grandfather | grandfathers | person adult man | walk | old-man
grandmother | grandmothers | person adult woman | walk | old-woman
policeman | policemen | person adult ~man ~woman | walk | police-officer
worker | workers | person adult ~man ~woman | walk | construction-worker
princess | princesses | person ~woman ~girl | walk | princess
prince | princes | person ~man ~boy | walk | prince
santa | santas | person ~man ~grandfather | walk | santa-claus
dancer | dancers | person adult ~woman ~man | walk | woman-dancing man-dancing
cyclist | cyclists | person ~man ~woman ~bicycle ~boy | drive | person-biking
surfer | surfers | person ~man ~woman | swim | person-surfing
skier | skiers | person ~man ~woman | drive | skier
snowman | snowmen | toy | | snowman snowman-without-snow
ghost | ghosts | | fly | ghost
alien, monster | aliens | | walk | alien-monster alien

car | cars | vehicle | drive | automobile sport-utility-vehicle oncoming-automobile
taxi, cab | taxis | vehicle car | drive | taxi oncoming-taxi
police car | police cars | vehicle car | drive | police-car oncoming-police-car
race car | race cars | vehicle car | drive | racing-car
bus | buses | vehicle | drive | bus oncoming-bus trolleybus
van, minibus | vans | vehicle ~bus ~car | drive | minibus
truck, lorry | trucks | vehicle | drive | delivery-truck articulated-lorry
fire truck | fire trucks | vehicle ~truck | drive | fire-engine
ambulance | ambulances | vehicle ~truck ~van ~car | drive | ambulance
tractor | tractors | vehicle | drive | tractor
train | trains | vehicle | drive | train locomotive high-speed-train metro
tram | trams | vehicle ~train | drive | tram tram-car
bicycle, bike | bicycles | vehicle | drive | bicycle
motorcycle, motorbike | motorcycles | vehicle ~bike | drive | motorcycle
scooter | scooters | vehicle ~motorcycle | drive | motor-scooter kick-scooter
airplane, plane, aeroplane | airplanes | vehicle | fly | airplane small-airplane
helicopter | helicopters | vehicle | fly | helicopter
rocket | rockets | vehicle | fly | rocket
ship | ships | vehicle boat | swim | ship passenger-ship ferry
sailboat | sailboats | vehicle boat | swim | sailboat
motorboat, speedboat | motorboats | vehicle boat | swim | speedboat motor-boat
canoe | canoes | vehicle boat | swim | canoe

apple | apples | fruit food | roll | red-apple green-apple
banana | bananas | fruit food | | banana
tangerine, mandarin | tangerines | fruit food | roll | tangerine
pear | pears | fruit food | | pear
peach | peaches | fruit food | roll | peach
lemon | lemons | fruit food | roll | lemon
cherries, cherry | cherries | fruit food | | cherries
strawberry | strawberries | fruit food | | strawberry
grapes | grapes | fruit food | | grapes
pineapple | pineapples | fruit food | | pineapple
watermelon, melon | watermelons | fruit food | | watermelon melon
kiwi | kiwis | fruit food | | kiwi-fruit
tomato | tomatoes | vegetable food ~fruit | roll | tomato
carrot | carrots | vegetable food | | carrot
corn | corn | vegetable food | | ear-of-corn
pepper | peppers | vegetable food | | hot-pepper
cucumber | cucumbers | vegetable food | | cucumber
potato | potatoes | vegetable food | roll | potato
eggplant | eggplants | vegetable food | | eggplant
avocado | avocados | vegetable food ~fruit | | avocado
mushroom | mushrooms | food ~vegetable ~plant | | mushroom
bread | breads | food | | bread baguette-bread
cheese | cheeses | food | | cheese-wedge
pizza | pizzas | food | | pizza
burger, hamburger | burgers | food | | hamburger
hot dog | hot dogs | food | | hot-dog
fries | fries | food | | french-fries
egg | eggs | food | | egg cooking
cake | cakes | food | | birthday-cake shortcake
cookie | cookies | food | roll | cookie
donut, doughnut | donuts | food | roll | doughnut
ice cream | ice creams | food | | ice-cream soft-ice-cream
candy | candies | food | | candy
lollipop | lollipops | food | | lollipop
cup, mug | cups | | | hot-beverage teacup-without-handle
glass | glasses | | | wine-glass cocktail-glass
bottle | bottles | | | baby-bottle sake

tree | trees | plant | | deciduous-tree
fir, pine | firs | plant tree | | evergreen-tree christmas-tree
palm | palms | plant tree | | palm-tree
cactus | cacti | plant | | cactus
flower | flowers | plant | | blossom hibiscus cherry-blossom
rose | roses | plant flower | | rose
tulip | tulips | plant flower | | tulip
sunflower | sunflowers | plant flower | | sunflower
leaf | leaves | ~plant | | maple-leaf fallen-leaf
clover | clovers | plant | | four-leaf-clover shamrock

ball | balls | toy | roll | volleyball baseball
football, soccer ball | footballs | toy ball | roll | soccer-ball
basketball | basketballs | toy ball | roll | basketball
balloon | balloons | toy | fly | balloon
drum | drums | toy | | drum
die, dice | dice | toy | roll | game-die
gift, present | gifts | | | wrapped-gift
guitar | guitars | instrument | | guitar
violin | violins | instrument | | violin
trumpet | trumpets | instrument | | trumpet
keyboard | keyboards | | | keyboard
bell | bells | | | bell
trophy | trophies | | | trophy
crown | crowns | | | crown
hat | hats | clothes | | top-hat womans-hat
shirt | shirts | clothes | | t-shirt
trousers, jeans | trousers | clothes | | jeans
dress | dresses | clothes | | dress
shoe, sneaker | shoes | clothes | | running-shoe mans-shoe
boot | boots | clothes ~shoe | | womans-boot
bag, handbag | bags | | | handbag
backpack | backpacks | ~bag | | backpack
umbrella | umbrellas | | | umbrella closed-umbrella
key | keys | | | key old-key
book | books | | | closed-book blue-book green-book orange-book
pencil, pen | pencils | | | pencil pen
scissors | scissors | tool | | scissors
hammer | hammers | tool | | hammer
knife | knives | tool | | kitchen-knife
spoon | spoons | tool | | spoon
clock, watch | clocks | | | watch
phone | phones | | | mobile-phone telephone
computer, laptop | computers | | | laptop desktop-computer
television, tv | televisions | | | television
camera | cameras | | | camera
lamp, bulb | lamps | | | light-bulb
candle | candles | | | candle
chair, seat | chairs | furniture | | seat
sofa, couch | sofas | furniture | | couch-and-lamp
bed | beds | furniture | | bed
bathtub | bathtubs | furniture | | bathtub
toilet | toilets | furniture | | toilet
door | doors | | | door
house | houses | building | | house house-with-garden
church | churches | building ~house | | church
castle | castles | building | | castle
tent | tents | | | tent
mountain | mountains | | | mountain snow-capped-mountain
sun | suns | sky | | sun sun-with-face
moon | moons | sky | | crescent-moon full-moon
cloud | clouds | sky | | cloud
rainbow | rainbows | sky | | rainbow
fire, flame | fires | | | fire
snowflake | snowflakes | sky | | snowflake
heart | hearts | | | red-heart blue-heart green-heart yellow-heart purple-heart
diamond, gem | diamonds | | | gem-stone
traffic light | traffic lights | | | vertical-traffic-light
"""

GROUP_PLURALS = {"animal": "animals", "person": "people", "vehicle": "vehicles", "fruit": "fruits", "toy": "toys"}
"""The plurals of what many nouns also are, where they are used."""


@dataclass(frozen=True)
class Noun:
    """One kind of thing.

    Attributes:
        words: what it is called, the usual word first; some are of two words.
        plural: of the first.
        groups: what it also is, such as "animal".
        unclear: what one may or may not call it: no sentence depends on that.
        manner: how it moves: "run", "walk", "fly", "swim", "drive" or "roll"; "" for what only ever slides.
        icons: names in the icon sets, each a look of its own.
    """

    words: tuple[str, ...]
    plural: str
    groups: tuple[str, ...]
    unclear: tuple[str, ...]
    manner: str
    icons: tuple[str, ...]


def _parse(line: str) -> Noun:
    words, plural, also, manner, icons = (column.strip() for column in line.split("|"))
    groups = also.split()
    return Noun(
        words=tuple(word.strip() for word in words.split(",")),
        plural=plural,
        groups=tuple(group for group in groups if not group.startswith("~")),
        unclear=tuple(group[1:] for group in groups if group.startswith("~")),
        manner=manner,
        icons=tuple(icons.split()),
    )


NOUNS: dict[str, Noun] = {noun.words[0]: noun for noun in map(_parse, filter(None, _TABLE.splitlines()))}
"""Every noun by its usual word."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(group for noun in NOUNS.values() for group in noun.groups))
"""Everything that a noun also is; some of these are nouns themselves."""

LOOK_ALIKES: dict[str, tuple[str, ...]] = {
    "circle": (
        *(name for name, noun in NOUNS.items() if noun.manner == "roll"),
        *("balloon", "sun", "moon", "clock", "lollipop", "candy", "watermelon", "kiwi", "pizza", "lamp", "flower"),
        *("ladybug", "snail", "turtle", "sheep"),
    ),
    "square": ("gift", "book", "die", "door", "television", "computer", "phone", "bus", "van", "camera", "cheese"),
    "triangle": ("tent", "pizza", "mountain", "cheese", "watermelon", "fir", "cake"),
    "star": ("snowflake", "sun", "flower", "leaf"),
}
"""Shapes, and the nouns whose drawings one may or may not call so."""


def plural_of(name: str) -> str | None:
    """Return the plural of a noun or of what nouns also are; None where none is used."""
    return NOUNS[name].plural if name in NOUNS else GROUP_PLURALS.get(name)


@functools.cache
def akin(name: str) -> tuple[str, ...]:
    """Return the other nouns that are also what a noun also is: for "dog" the other animals."""
    groups = set(NOUNS[name].groups)
    return tuple(other for other, noun in NOUNS.items() if groups & set(noun.groups) and other != name)
