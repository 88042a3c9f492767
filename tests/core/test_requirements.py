"""What a backend requires is compared with what is installed, as Python's packaging does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from aligntune_core.backends.requirements import satisfies

NUMBERS = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
ENDINGS = st.sampled_from(["", "", "", "rc1", ".dev0", ".post1", "+cu124", "+cpu", ".post1+cpu", "a2"])
VERSIONS = st.builds("{}{}".format, NUMBERS, ENDINGS)
COMPARED = st.builds("{}{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!="]), st.just(" "), NUMBERS)
OTHERS = st.sampled_from(["~=1.2", "==1.*", "!=1.2.*", ">=1.0rc1", "===1.0"])
RANGES = st.lists(COMPARED | OTHERS, max_size=3).map(",".join)


@given(VERSIONS, RANGES)
def test_a_version_is_in_a_range_where_packaging_says_so(version, specifier):
    assert satisfies(version, specifier) == SpecifierSet(specifier).contains(version, prereleases=True)


@pytest.mark.parametrize("specifier", ["1.2", "=>1", ">=one", ">="])
def test_what_is_no_range_is_refused(specifier):
    with pytest.raises(ValueError, match="is not a version range"):
        satisfies("1.0", specifier)
