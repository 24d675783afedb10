"""A model checked on a laboratory's own labelled cells, against a criterion stated before."""
