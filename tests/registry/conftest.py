"""A fresh pair of lists for each test."""

import pytest
from lists import Lists


@pytest.fixture
def lists(tmp_path):
    return Lists(tmp_path)
