"""What the shipment lines do not say: places, and every assumption of the model, in one file.

City and port coordinates are rounded to two decimals.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """A country's code, its region, and a main city."""

    code: str
    region: str
    latitude: float
    longitude: float
    centre: str  # the distribution centre that serves it


#: Customers: country as in the file -> code, region, main city, distribution centre (assumed).
PLACES = {
    "Benin": Place("BJ", "west_africa", 6.37, 2.42, "west"),
    "Botswana": Place("BW", "southern_africa", -24.65, 25.91, "south"),
    "Burundi": Place("BI", "east_africa", -3.38, 29.36, "east"),
    "Cameroon": Place("CM", "west_africa", 4.05, 9.70, "west"),
    "Congo, DRC": Place("CD", "southern_africa", -4.33, 15.31, "south"),
    "Côte d'Ivoire": Place("CI", "west_africa", 5.35, -4.00, "west"),
    "Dominican Republic": Place("DO", "caribbean", 18.47, -69.89, "west"),
    "Ethiopia": Place("ET", "east_africa", 9.02, 38.75, "east"),
    "Ghana": Place("GH", "west_africa", 6.69, -1.62, "west"),
    "Guatemala": Place("GT", "caribbean", 14.64, -90.51, "west"),
    "Guyana": Place("GY", "caribbean", 6.80, -58.16, "west"),
    "Haiti": Place("HT", "caribbean", 18.54, -72.34, "west"),
    "Kenya": Place("KE", "east_africa", -4.04, 39.67, "east"),
    "Mozambique": Place("MZ", "southern_africa", -25.97, 32.58, "south"),
    "Namibia": Place("NA", "southern_africa", -22.56, 17.08, "south"),
    "Nigeria": Place("NG", "west_africa", 6.45, 3.39, "west"),
    "Rwanda": Place("RW", "east_africa", -1.95, 30.06, "east"),
    "South Africa": Place("ZA", "southern_africa", -25.74, 28.19, "south"),
    "Swaziland": Place("SZ", "southern_africa", -26.50, 31.38, "south"),
    "Tanzania": Place("TZ", "east_africa", -6.82, 39.27, "east"),
    "Uganda": Place("UG", "east_africa", 0.32, 32.58, "east"),
    "Vietnam": Place("VN", "asia", 21.02, 105.84, "east"),
    "Zambia": Place("ZM", "southern_africa", -15.41, 28.29, "south"),
    "Zimbabwe": Place("ZW", "southern_africa", -17.83, 31.05, "south"),
}
CODES = {name: place.code for name, place in PLACES.items()}
BY_CODE = {place.code: place for place in PLACES.values()}

#: First ten digits of the SHA-256 of a manufacturing site's name -> the region it lies in.
REGION_OF_SITE = {
    "326b2a2183": "southern_india",
    "c11e9c1fd8": "southern_india",
    "2774b7a5c8": "southern_india",
    "340ddb81e3": "southern_india",
    "c219664b99": "western_india",
    "39bbe05216": "western_india",
    "4ce3106793": "western_india",
    "2c3dcfdbde": "western_india",
    "67bc99c60d": "japan",
    "1b11608945": "korea",
    "ffb6937e28": "china",
    "454f887341": "south_africa",
    "dd68be706b": "germany",
    "d7f195e35d": "germany",
    "7885f3126b": "ireland",
    "de6a065af9": "netherlands",
    "efd1359e57": "united_kingdom",
    "ec7f395843": "united_kingdom",
    "fca9ed1dfc": "france",
    "fc16c6ce08": "france",
    "7bbec0d8b8": "switzerland",
    "7042221813": "united_states",
    "25fc940044": "canada",
}
#: A large city or harbour of each supply region: latitude, longitude, country.
REGIONS = {
    "southern_india": (13.08, 80.27, "IN"),
    "western_india": (19.07, 72.88, "IN"),
    "japan": (35.69, 139.69, "JP"),
    "korea": (37.57, 126.98, "KR"),
    "china": (31.22, 121.46, "CN"),
    "south_africa": (-26.20, 28.04, "ZA"),
    "germany": (50.12, 8.68, "DE"),
    "ireland": (53.33, -6.25, "IE"),
    "netherlands": (52.37, 4.89, "NL"),
    "united_kingdom": (51.51, -0.13, "GB"),
    "france": (48.85, 2.35, "FR"),
    "switzerland": (47.56, 7.57, "CH"),
    "united_states": (40.71, -74.01, "US"),
    "canada": (43.71, -79.40, "CA"),
}
#: Distribution centres: place, country, region, and the port of their sea freight.
CENTRES = {
    "west": (5.56, -0.20, "GH", "west_africa", "port_tema"),
    "east": (-1.28, 36.82, "KE", "east_africa", "port_mombasa"),
    "south": (-26.20, 28.04, "ZA", "southern_africa", "port_durban"),
}
PORTS = {
    "port_tema": (5.63, 0.02, "GH"),
    "port_mombasa": (-4.07, 39.67, "KE"),
    "port_dar_es_salaam": (-6.82, 39.29, "TZ"),
    "port_durban": (-29.87, 31.02, "ZA"),
}
#: The port that sea freight to a country passes.
PORT_OF = {
    "ZA": "port_durban", "SZ": "port_durban", "MZ": "port_durban", "ZM": "port_durban",
    "ZW": "port_durban", "RW": "port_dar_es_salaam", "TZ": "port_dar_es_salaam",
    "KE": "port_mombasa", "UG": "port_mombasa", "ET": "port_mombasa", "NG": "port_tema",
    "CI": "port_tema", "GH": "port_tema",
}
#: Days on the way when a direct line keeps its schedule (the rest of the plan is the supplier's).
BASE_DAYS = {"air": 7.0, "charter": 7.0, "sea": 35.0, "road": 2.0}
#: Days from a centre's picking to delivery when a line keeps its schedule: no order date is known.
CENTRE_DAYS = 30.0
SEA_DETOUR = 1.6  # sea kilometres per kilometre of great circle
ROAD_DETOUR = 1.3
PACK_KG_PER_M3 = 200.0
SAME_DAY = "12h"  # the file has days, not hours

# -- distribution centres --------------------------------------------------------------------------
SERVICE_FACTOR = 1.64  # safety stock in standard deviations of demand over the lead time (95 %)
COVER_DAYS = 30.0  # an order is for so many days of demand
HOLDING_SHARE_A_YEAR = 0.15  # of value
POLICIES = {  # product -> policy, review in days (0 = continuous)
    "adult_combined": ("s_S", 1),
    "adult_single": ("R_S", 14),
    "child_solid": ("base_stock", 7),
    "child_liquid": ("forecast", 14),
    "hiv_tests": ("s_S", 0),
}
MOST_SUPPLIERS = 12
LEAST_INBOUND = 0.05  # share of a product at the centres for a supplier to be a source of it

# -- plants ----------------------------------------------------------------------------------------
PLANTS = 2  # the suppliers with most value through the centres
LOT_PACKS = 20_000
#: work centre, machines, mean repair, mean time to failure, hours' coefficient of variation
WORK_CENTRES = (
    ("granulation", 2, "16h", "400h", 0.3),
    ("compression", 2, "12h", "250h", 0.3),
    ("packing", 3, "6h", "120h", 0.25),
)
UTILISATION = 0.75
MAKE_DAYS = 30.0  # taken as the mean time of an order in a plant when stock levels are set
INGREDIENT_KG_PER_KG = 0.6  # active ingredient in a kilogram of packed tablets
INGREDIENT_USD = 60.0
INGREDIENT_LEAD = ("gamma(mean=30d, sd=10d)", 30.0, 10.0)
INGREDIENT_LEADS = 3  # reorder point in means of demand over the lead time: plants order in lumps

# -- last mile -------------------------------------------------------------------------------------
#: cold store -> place, centre, clinics; a 2-8 C test kit, four clinics each, own trucks.
COLD_STORES = {
    "cold_mwanza": (-2.52, 32.90, "TZ", "east", {
        "clinic_bukoba": (-1.33, 31.81), "clinic_musoma": (-1.50, 33.80),
        "clinic_shinyanga": (-3.66, 33.42), "clinic_geita": (-2.87, 32.23)}),
    "cold_ndola": (-12.96, 28.64, "ZM", "south", {
        "clinic_kitwe": (-12.80, 28.21), "clinic_chingola": (-12.53, 27.88),
        "clinic_luanshya": (-13.14, 28.42), "clinic_solwezi": (-12.17, 26.39)}),
}
CLINIC_KITS = 40.0  # a week
KIT_USD, KIT_KG = 60.0, 0.5

# -- emissions, kg CO2e: direct, total -------------------------------------------------------------
#: Road per tkm is Defra/DECC 2012 annex 7e, all HGVs; diesel per litre and air and sea are assumed.
EMISSIONS = {
    ("road", "tkm"): (0.12366, 0.14993),
    ("air", "tkm"): (0.60, 0.72),
    ("charter", "tkm"): (0.60, 0.72),
    ("sea", "tkm"): (0.016, 0.019),
    ("diesel", "l"): (2.6, 3.2),
}
