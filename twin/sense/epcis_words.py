"""The words of GS1's Core Business Vocabulary 2.0, and how they may be written.

A word stands bare (``shipping``), as an older URN (``urn:epcglobal:cbv:bizstep:shipping``), as a
web address (``https://ref.gs1.org/cbv/BizStep-shipping``) or shortened (``cbv:BizStep-shipping``).
A company's own words are URIs of its own. A bare word that is not in the list is a misspelling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from twin.clock import excerpt

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_WEB = ("https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/", "cbv:")
_URN = "urn:epcglobal:cbv:"


def words(text: str) -> frozenset[str]:
    """The words of a text.

    Examples
    --------
    >>> sorted(words("po inv"))
    ['inv', 'po']
    """
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One list of words of the standard.

    Parameters
    ----------
    name
        What the list is called in messages.
    urn, web
        How a word begins as an URN of CBV 1 and as a web address of CBV 2.
    words
        All of them.
    """

    name: str
    urn: str
    web: str
    words: frozenset[str]

    def read(self, text: str) -> str:
        """The bare word, or the URI of a company's own word.

        Raises
        ------
        ValueError
            If it is neither.

        Examples
        --------
        >>> BIZ_STEP.read("urn:epcglobal:cbv:bizstep:shipping")
        'shipping'
        >>> BIZ_STEP.read("https://example.com/steps/blessing")
        'https://example.com/steps/blessing'
        >>> BIZ_STEP.read("shiping")
        Traceback (most recent call last):
        ...
        ValueError: 'shiping' is no business step of CBV 2.0. Did you mean 'shipping'?
        """
        if text in self.words:
            return text
        for start in (_URN + self.urn + ":", *(web + self.web for web in _WEB)):
            if text.startswith(start):
                return self._listed(text[len(start):], text)
        if text.startswith(_URN) or not is_uri(text):
            return self._listed(text, text)
        return text

    def _listed(self, word: str, text: str) -> str:
        if word in self.words:
            return word
        near = get_close_matches(word[:60], sorted(self.words), n=1, cutoff=0.75)
        remedy = f"Did you mean '{near[0]}'?" if near else \
            "Write a word of the standard, or a URI of your own."
        raise ValueError(f"'{excerpt(text)}' is no {self.name} of CBV 2.0. {remedy}")


def is_uri(text: str) -> bool:
    """Whether a text is shaped as a URI or a shortened one.

    Examples
    --------
    >>> is_uri("urn:epc:id:sgln:4012345.00005.0"), is_uri("example:x"), is_uri("my place")
    (True, True, False)
    """
    return len(text) <= 2000 and _URI.fullmatch(text) is not None


def measurement(text: str) -> str:
    """The bare name of a measurement type, or a URI of a company's own.

    Drafts of the standard wrote ``Effective_dose_rate`` for `EffectiveDoseRate`; both are read.
    A bare name far from any of the list is a sensor's own; one close to it is a misspelling.

    Raises
    ------
    ValueError
        If it is neither, or is a misspelling.

    Examples
    --------
    >>> measurement("gs1:Temperature"), measurement("Relative_humidity")
    ('Temperature', 'RelativeHumidity')
    >>> measurement("Temprature")
    Traceback (most recent call last):
    ...
    ValueError: 'Temprature' is no measurement type of CBV 2.0. Did you mean 'Temperature'?
    """
    for start in ("gs1:MT-", "gs1:", "https://gs1.org/voc/", "https://www.gs1.org/voc/",
                  "https://ref.gs1.org/voc/"):
        if text.startswith(start) and text[len(start):] in MEASUREMENTS:
            return text[len(start):]
    joined = "".join(part[:1].upper() + part[1:] for part in text.split("_"))
    if text in MEASUREMENTS or ("_" in text and joined in MEASUREMENTS):
        return joined
    near = get_close_matches(text[:60], sorted(MEASUREMENTS), n=1, cutoff=0.85)
    if near and not is_uri(text):
        raise ValueError(f"'{excerpt(text)}' is no measurement type of CBV 2.0. "
                         f"Did you mean '{near[0]}'?")
    if not is_uri(text) and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,79}", text):
        raise ValueError(f"'{excerpt(text)}' is no measurement type. Write a name or a URI.")
    return text


def _list(name: str, urn: str, web: str, listed: str) -> Vocabulary:
    return Vocabulary(name, urn, web, words(listed))


BIZ_STEP = _list("business step", "bizstep", "BizStep-", """
    accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking receiving
    removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping""")
DISPOSITION = _list("disposition", "disp", "Disp-", """
    active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match
    non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold returned
    sellable_accessible sellable_not_accessible stolen unavailable unknown""")
TRANSACTION = _list("business transaction type", "btt", "BTT-", """
    bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt""")
PARTY = _list("source or destination type", "sdt", "SDT-",
              "owning_party possessing_party location")
ERROR_REASON = _list("error reason", "er", "ER-", "did_not_occur incorrect_data")
COMPONENT = _list("component", "comp", "Comp-", """
    x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting
    northing latitude longitude altitude""")
ALARM = _list("sensor exception", "exception", "SE-", "ALARM_CONDITION ERROR_CONDITION")

ACTIONS = ("ADD", "OBSERVE", "DELETE")

MEASUREMENTS = words("""
    AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Altitude AmountOfSubstance
    AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity
    Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
    DoseEquivalentRate DynamicViscosity EffectiveDose EffectiveDoseRate ElectricCharge
    ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency
    Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance
    LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass
    MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy
    MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity Radioactivity
    RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity
    SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction
    VolumetricFlux Wavenumber""")

#: UN/CEFACT Recommendation 20 code -> the unit's word in `twin.kinds.UNITS`.
#: UN/ECE codes of amounts -> (weight or volume, kilograms or cubic metres in one).
AMOUNTS = {
    "KGM": ("kg", 1.0), "GRM": ("kg", 1e-3), "MGM": ("kg", 1e-6), "TNE": ("kg", 1e3),
    "LBR": ("kg", 0.45359237), "ONZ": ("kg", 0.028349523125), "MTQ": ("m3", 1.0),
    "LTR": ("m3", 1e-3), "MLT": ("m3", 1e-6), "DMQ": ("m3", 1e-3), "CMQ": ("m3", 1e-6),
    "HLT": ("m3", 0.1), "GLL": ("m3", 0.003785411784),
}
UNIT_CODES = {
    "CEL": "C", "FAH": "F", "KEL": "K", "P1": "%", "BAR": "bar", "MBR": "mbar", "HPA": "hPa",
    "A97": "hPa", "PAL": "Pa", "KPA": "kPa", "MPA": "MPa", "PS": "psi", "C16": "mm/s",
    "MTS": "m/s", "KMH": "km/h", "HM": "mph", "KNT": "kn", "MSK": "m/s2", "K40": "g",
    "AMP": "A", "4K": "mA", "WTT": "W", "KWT": "kW", "MAW": "MW", "SEC": "s", "MIN": "min",
    "HUR": "h", "DAY": "d", "KMT": "km", "MTR": "m", "SMI": "mi", "LTR": "l", "GLL": "gal",
}
