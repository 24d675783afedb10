"""A case in the languages of a hospital's systems: FHIR R4 and HL7 v2."""
