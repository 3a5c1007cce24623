-- What the demo shop sells, and to whom: the raw material of shop.sql, which
-- multiplies kinds by series into products.  Nothing here is random.

-- Ten tastes.  share is the part of all customers whose main taste this is.
CREATE TEMPORARY TABLE taste_list (taste text PRIMARY KEY, share float8);
INSERT INTO taste_list VALUES
    ('camper', .19), ('hiker', .17), ('runner', .13), ('climber', .11),
    ('bikepacker', .10), ('skier', .09), ('angler', .07), ('paddler', .06),
    ('birder', .05), ('bushcrafter', .03);

-- Kinds of product.
--   price   of the middle price level
--   demand  how often the kind is bought, and how many versions of it exist
--   season  when most of it is sold; NULL = all year
--   refill  bought again and again
--   tastes  who buys it, the keenest first; everyone = a bit by all
CREATE TEMPORARY TABLE kind_list (
    kind text PRIMARY KEY, category text, price numeric, demand float8,
    season text, refill boolean, tastes text[]);
INSERT INTO kind_list VALUES
    ('2-person tent',           'tents', 329, 5, 'summer', false, '{hiker,bikepacker,paddler}'),
    ('1-person tent',           'tents', 279, 3, 'summer', false, '{bikepacker,hiker}'),
    ('family tent',             'tents', 589, 5, 'summer', false, '{camper}'),
    ('4-season tent',           'tents', 749, 1, 'winter', false, '{climber,skier}'),
    ('tarp',                    'tents',  89, 2, NULL,     false, '{bushcrafter,bikepacker,paddler}'),
    ('tent peg set',            'tents',  19, 2, 'summer', true,  '{camper,hiker}'),
    ('tent footprint',          'tents',  45, 2, 'summer', false, '{camper,hiker}'),
    ('awning',                  'tents', 139, 2, 'summer', false, '{camper}'),

    ('summer sleeping bag',     'sleeping bags', 119, 3, 'summer', false, '{camper,bikepacker,paddler}'),
    ('3-season sleeping bag',   'sleeping bags', 189, 3, NULL,     false, '{hiker,bikepacker,bushcrafter}'),
    ('down sleeping bag',       'sleeping bags', 389, 2, 'winter', false, '{climber,skier}'),
    ('kids'' sleeping bag',     'sleeping bags',  59, 3, 'summer', false, '{camper}'),
    ('sleeping mat',            'sleeping bags',  99, 4, NULL,     false, '{hiker,camper,bikepacker}'),
    ('double air bed',          'sleeping bags',  79, 3, 'summer', false, '{camper}'),
    ('bag liner',               'sleeping bags',  35, 2, NULL,     false, '{hiker,camper}'),
    ('hammock',                 'sleeping bags',  69, 2, 'summer', false, '{bushcrafter,paddler}'),

    ('trekking boot',           'boots', 219, 5, NULL,     false, '{hiker,birder}'),
    ('mountaineering boot',     'boots', 369, 2, 'summer', false, '{climber}'),
    ('approach shoe',           'boots', 149, 3, NULL,     false, '{climber,hiker}'),
    ('wading boot',             'boots', 159, 2, 'spring', false, '{angler}'),
    ('kids'' hiking boot',      'boots',  79, 2, NULL,     false, '{camper}'),
    ('rubber boot',             'boots',  69, 2, 'autumn', false, '{birder,bushcrafter,angler}'),
    ('boot wax',                'boots',  12, 2, 'autumn', true,  '{hiker,bushcrafter,birder}'),
    ('hiking socks',            'boots',  22, 4, NULL,     true,  '{hiker,birder,camper}'),

    ('hardshell jacket',        'jackets', 389, 3, 'autumn', false, '{climber,skier}'),
    ('rain jacket',             'jackets', 159, 4, 'autumn', false, '{everyone}'),
    ('down jacket',             'jackets', 269, 3, 'winter', false, '{climber,skier,birder}'),
    ('fleece jacket',           'jackets',  89, 4, 'autumn', false, '{everyone}'),
    ('wind jacket',             'jackets', 109, 3, 'spring', false, '{runner,bikepacker}'),
    ('ski jacket',              'jackets', 349, 3, 'winter', false, '{skier}'),
    ('kids'' rain suit',        'jackets',  65, 3, 'autumn', false, '{camper}'),
    ('waxed jacket',            'jackets', 229, 2, 'autumn', false, '{birder,bushcrafter,angler}'),

    ('60 m single rope',        'climbing', 199, 3, 'summer', false, '{climber}'),
    ('climbing harness',        'climbing',  79, 3, NULL,     false, '{climber}'),
    ('quickdraw set',           'climbing', 109, 3, NULL,     false, '{climber}'),
    ('belay device',            'climbing',  89, 2, NULL,     false, '{climber}'),
    ('climbing helmet',         'climbing',  69, 2, NULL,     false, '{climber,skier}'),
    ('climbing shoe',           'climbing', 129, 4, NULL,     false, '{climber}'),
    ('chalk',                   'climbing',   9, 3, NULL,     true,  '{climber}'),
    ('ice axe',                 'climbing', 139, 2, 'winter', false, '{climber,skier}'),
    ('crampons',                'climbing', 159, 2, 'winter', false, '{climber,skier}'),
    ('rope bag',                'climbing',  39, 1, NULL,     false, '{climber}'),

    ('gas stove',               'stoves & cooking',  59, 4, 'summer', false, '{hiker,bikepacker,camper}'),
    ('two-burner stove',        'stoves & cooking', 119, 3, 'summer', false, '{camper}'),
    ('wood stove',              'stoves & cooking',  69, 2, NULL,     false, '{bushcrafter,paddler}'),
    ('gas cartridge',           'stoves & cooking',   8, 5, 'summer', true,  '{hiker,bikepacker,camper}'),
    ('titanium pot',            'stoves & cooking',  65, 3, NULL,     false, '{bikepacker,hiker,bushcrafter}'),
    ('family cook set',         'stoves & cooking',  89, 3, 'summer', false, '{camper}'),
    ('cool box',                'stoves & cooking', 129, 3, 'summer', false, '{camper,angler}'),
    ('trail meal',              'stoves & cooking',  11, 4, NULL,     true,  '{hiker,bikepacker,climber}'),
    ('water filter',            'stoves & cooking',  49, 3, 'summer', false, '{hiker,paddler,bikepacker}'),
    ('vacuum bottle',           'stoves & cooking',  35, 4, 'winter', false, '{everyone}'),

    ('60 l trekking pack',      'backpacks', 229, 3, NULL,     false, '{hiker}'),
    ('25 l day pack',           'backpacks',  99, 4, NULL,     false, '{hiker,birder,camper}'),
    ('alpine pack',             'backpacks', 149, 3, NULL,     false, '{climber}'),
    ('ski touring pack',        'backpacks', 159, 2, 'winter', false, '{skier}'),
    ('child carrier',           'backpacks', 249, 2, 'summer', false, '{camper}'),
    ('running vest',            'backpacks', 119, 4, NULL,     false, '{runner}'),
    ('pack rain cover',         'backpacks',  25, 2, 'autumn', false, '{hiker,birder}'),

    ('touring ski',             'ski', 549, 3, 'winter', false, '{skier}'),
    ('touring binding',         'ski', 399, 2, 'winter', false, '{skier}'),
    ('touring boot',            'ski', 499, 3, 'winter', false, '{skier}'),
    ('climbing skins',          'ski', 149, 3, 'winter', false, '{skier}'),
    ('avalanche beacon',        'ski', 319, 2, 'winter', false, '{skier}'),
    ('avalanche shovel',        'ski',  59, 2, 'winter', false, '{skier}'),
    ('ski goggles',             'ski',  99, 3, 'winter', false, '{skier}'),
    ('skin wax',                'ski',  14, 2, 'winter', true,  '{skier}'),
    ('snowshoes',               'ski', 169, 2, 'winter', false, '{hiker,birder}'),

    ('saddle bag',              'bike', 129, 4, NULL,     false, '{bikepacker}'),
    ('handlebar bag',           'bike', 109, 3, NULL,     false, '{bikepacker}'),
    ('frame bag',               'bike',  89, 3, NULL,     false, '{bikepacker}'),
    ('gravel tyre',             'bike',  45, 4, 'spring', true,  '{bikepacker}'),
    ('inner tube',              'bike',   8, 3, NULL,     true,  '{bikepacker}'),
    ('bike light set',          'bike',  69, 3, 'autumn', false, '{bikepacker}'),
    ('bike computer',           'bike', 249, 2, 'spring', false, '{bikepacker,runner}'),
    ('bike helmet',             'bike',  95, 3, 'spring', false, '{bikepacker,camper}'),

    ('fly rod',                 'fishing', 229, 3, 'spring', false, '{angler}'),
    ('spinning rod',            'fishing',  99, 3, NULL,     false, '{angler,paddler}'),
    ('fly reel',                'fishing', 149, 3, 'spring', false, '{angler}'),
    ('fly line',                'fishing',  59, 2, 'spring', true,  '{angler}'),
    ('fly box',                 'fishing',  29, 4, NULL,     true,  '{angler}'),
    ('chest waders',            'fishing', 249, 2, 'spring', false, '{angler}'),
    ('landing net',             'fishing',  45, 2, NULL,     false, '{angler}'),
    ('lure set',                'fishing',  25, 4, NULL,     true,  '{angler,paddler}'),

    ('touring kayak',           'paddling', 990, 1, 'summer', false, '{paddler}'),
    ('packraft',                'paddling', 649, 1, 'summer', false, '{paddler,bikepacker}'),
    ('kayak paddle',            'paddling', 139, 3, 'summer', false, '{paddler}'),
    ('buoyancy aid',            'paddling',  99, 3, 'summer', false, '{paddler}'),
    ('dry bag',                 'paddling',  29, 5, 'summer', false, '{paddler,bikepacker,angler}'),
    ('neoprene shoe',           'paddling',  59, 3, 'summer', false, '{paddler}'),
    ('spray deck',              'paddling',  89, 2, 'summer', false, '{paddler}'),

    ('headlamp',                'lamps', 59, 4, 'autumn', false, '{runner,climber,hiker,skier}'),
    ('camp lantern',            'lamps', 45, 3, 'summer', false, '{camper,bushcrafter,paddler}'),
    ('battery pack',            'lamps', 15, 3, NULL,     true,  '{everyone}'),
    ('power bank',              'lamps', 49, 3, NULL,     false, '{everyone}'),

    ('topographic map',         'maps & navigation',  18, 5, NULL,     true,  '{hiker,birder,skier}'),
    ('hut-to-hut guide',        'maps & navigation',  29, 2, 'summer', false, '{hiker,climber}'),
    ('climbing guidebook',      'maps & navigation',  35, 3, NULL,     true,  '{climber}'),
    ('ski touring map',         'maps & navigation',  22, 3, 'winter', true,  '{skier}'),
    ('river map',               'maps & navigation',  22, 3, 'summer', true,  '{paddler,angler}'),
    ('GPS watch',               'maps & navigation', 379, 3, NULL,     false, '{runner,hiker,bikepacker}'),
    ('compass',                 'maps & navigation',  45, 2, NULL,     false, '{bushcrafter,hiker}'),

    ('trail running shoe',      'running', 139, 5, 'spring', false, '{runner}'),
    ('running tights',          'running',  69, 3, 'autumn', false, '{runner}'),
    ('running shirt',           'running',  45, 3, 'summer', false, '{runner}'),
    ('running socks',           'running',  16, 3, NULL,     true,  '{runner}'),
    ('soft flask',              'running',  19, 3, NULL,     true,  '{runner}'),
    ('energy gel box',          'running',  24, 5, NULL,     true,  '{runner,bikepacker}'),
    ('carbon running poles',    'running', 129, 2, 'summer', false, '{runner}'),
    ('trekking poles',          'running',  89, 3, NULL,     false, '{hiker,birder}'),

    ('8x42 binoculars',         'optics', 449, 3, NULL,     false, '{birder}'),
    ('spotting scope',          'optics', 890, 1, 'autumn', false, '{birder}'),
    ('tripod',                  'optics', 179, 2, NULL,     false, '{birder}'),
    ('lens cleaning kit',       'optics',  15, 2, NULL,     true,  '{birder}'),
    ('bird guide',              'optics',  32, 4, 'spring', true,  '{birder}'),
    ('bird feeder',             'optics',  39, 4, 'winter', false, '{birder}'),
    ('camouflage hide',         'optics', 149, 1, 'spring', false, '{birder}'),

    ('fixed-blade knife',       'knives & axes',  89, 3, NULL,     false, '{bushcrafter,angler}'),
    ('folding knife',           'knives & axes',  49, 3, NULL,     false, '{bushcrafter,camper,angler}'),
    ('forest axe',              'knives & axes', 119, 3, 'autumn', false, '{bushcrafter}'),
    ('folding saw',             'knives & axes',  45, 3, 'autumn', false, '{bushcrafter}'),
    ('whetstone',               'knives & axes',  29, 2, NULL,     false, '{bushcrafter}'),
    ('fire steel',              'knives & axes',  18, 3, NULL,     false, '{bushcrafter}'),

    ('insect repellent',        'care', 12, 4, 'summer', true,  '{everyone}'),
    ('sun cream',               'care', 15, 4, 'summer', true,  '{everyone}'),
    ('first-aid kit',           'care', 39, 3, NULL,     false, '{everyone}'),
    ('merino base layer',       'care', 75, 4, 'winter', false, '{everyone}');

-- What is put into the same basket: chance that a buyer of kind also takes
-- one of the other kind in the same order.
CREATE TEMPORARY TABLE pair_list (kind text, companion text, chance float8);
INSERT INTO pair_list VALUES
    ('2-person tent', 'tent footprint', .40), ('2-person tent', 'tent peg set', .30),
    ('1-person tent', 'tent footprint', .35), ('1-person tent', 'tent peg set', .25),
    ('family tent', 'tent peg set', .40), ('family tent', 'awning', .25),
    ('hammock', 'tarp', .40), ('3-season sleeping bag', 'bag liner', .30),
    ('down sleeping bag', 'sleeping mat', .30), ('summer sleeping bag', 'bag liner', .25),
    ('trekking boot', 'boot wax', .35), ('trekking boot', 'hiking socks', .40),
    ('60 m single rope', 'rope bag', .40), ('climbing harness', 'belay device', .45),
    ('climbing shoe', 'chalk', .45), ('ice axe', 'crampons', .40),
    ('gas stove', 'gas cartridge', .60), ('two-burner stove', 'gas cartridge', .50),
    ('wood stove', 'fire steel', .35), ('60 l trekking pack', 'pack rain cover', .40),
    ('touring ski', 'touring binding', .45), ('touring ski', 'climbing skins', .50),
    ('climbing skins', 'skin wax', .45), ('avalanche beacon', 'avalanche shovel', .60),
    ('saddle bag', 'handlebar bag', .35), ('saddle bag', 'frame bag', .35),
    ('gravel tyre', 'inner tube', .50), ('fly rod', 'fly reel', .50),
    ('fly reel', 'fly line', .50), ('fly line', 'fly box', .35),
    ('chest waders', 'wading boot', .45), ('spinning rod', 'lure set', .45),
    ('touring kayak', 'kayak paddle', .60), ('touring kayak', 'spray deck', .45),
    ('packraft', 'kayak paddle', .50), ('kayak paddle', 'dry bag', .30),
    ('headlamp', 'battery pack', .35), ('trail running shoe', 'running socks', .40),
    ('running vest', 'soft flask', .50), ('GPS watch', 'power bank', .20),
    ('8x42 binoculars', 'lens cleaning kit', .45), ('spotting scope', 'tripod', .60),
    ('forest axe', 'whetstone', .40), ('fixed-blade knife', 'whetstone', .30);

-- Series a product can belong to, with their price level: 1 low, 3 high.
CREATE TEMPORARY TABLE series_list (series text PRIMARY KEY, level int);
INSERT INTO series_list
SELECT unnest('{Lark,Tarn,Moss,Brook,Alder,Bracken,Pebble,Heath,Wren,Clover,Reed,Dune,
                Willow,Burrow,Thistle,Meadow}'::text[]), 1
UNION ALL
SELECT unnest('{Fjell,Sarek,Brenner,Kestrel,Caldera,Vidda,Tatra,Lofot,Ridgeway,Cairn,
                Skarn,Torrent,Juniper,Rondane,Sierra,Pinnacle,Dovre,Marmot Hill}'::text[]), 2
UNION ALL
SELECT unnest('{Aiguille,Borealis,Nanga,Storfjord,Eiger Line,Zenith,Gyrfalcon,Sirius,
                Denali Pro,Kongsvoll,Cirrus,Obsidian,Vertex,Solstice}'::text[]), 3;

-- Names and towns of the customers.
CREATE TEMPORARY TABLE word_list (list text, n int, word text);
INSERT INTO word_list
SELECT list, n - 1, word
FROM (VALUES
    ('first', '{Anna,Lukas,Ingrid,Mateo,Sophie,Jonas,Elena,Erik,Maria,Tom,Laura,Nils,Claire,
        Pavel,Emma,Marco,Freya,Jan,Lucia,Oskar,Hannah,Pierre,Sara,Henrik,Julia,David,Nora,
        Felix,Amira,Simon,Greta,Hugo,Katarina,Leo,Marta,Ben,Yuki,Andrea,Ruth,Viktor,Chiara,
        Adam,Petra,Samuel,Alice,Tomasz,Vera,Daniel,Irene,Kofi,Linnea,Martin,Olga,Paul,Rosa,
        Stefan,Tessa,Umut,Wanda,Zoe}'),
    ('last', '{Berg,Keller,Moreau,Rossi,Novak,Hansen,Fischer,Lindqvist,Garcia,Walker,Huber,
        Dubois,Kowalski,Larsen,Bianchi,Schneider,Virtanen,Murphy,Steiner,Jansen,Ferrari,Haugen,
        Bauer,Laurent,Svensson,Horvat,Weber,Costa,MacLeod,Gruber,Petit,Nilsen,Marino,Vogel,
        Dahl,Fontaine,Wolf,Ortega,Brandt,Holm,Egger,Girard,Aalto,Conti,Meyer,Solberg,Roux,
        Kaya,Zimmermann,Okafor,Lange,Pereira,Frei,Strand,Blanc,Tanaka,Winter,Andersen,Sato,
        Ryan,Maier,Lehmann,Bakke,Colombo,Hofer,Nowak,Perrin,Quinn,Richter,Serra,Thoma,Ulrich,
        Vidal,Wagner,Young,Zeman}'),
    ('city', '{Oslo,Munich,Innsbruck,Bergen,Grenoble,Zurich,Turin,Stockholm,Vienna,Lyon,
        Edinburgh,Salzburg,Bern,Milan,Hamburg,Tromso,Geneva,Ljubljana,Gothenburg,Chamonix,
        Copenhagen,Berlin,Helsinki,Krakow,Annecy,Trondheim,Dresden,Bolzano,Prague,Inverness}')
    ) AS l(list, words),
    unnest(l.words::text[]) WITH ORDINALITY AS w(word, n);
