"""Scores say their interval; receipts are bytes that depend on their content alone."""

import json
import math
from dataclasses import replace

import pytest

from isocenter.errors import InputError
from isocenter.result import Check, Item, Receipt, Score

SCORE = Score(name="dice", label="liver", value=0.91, low=0.88, high=0.93, n=12)
RECEIPT = Receipt(
    step="train",
    inputs=(Item(name="dataset:liver", digest="a" * 64, receipt="b" * 64),),
    outputs=(Item(name="model", digest="c" * 64),),
    checks=(Check(name="grids agree", held=True, figure="0", limit="0.1 mm"),),
    facts={"seed": 0},
    version="0.1.0",
    who="wei",
    at="2026-01-01T00:00:00Z",
)


def test_a_mean_of_patients_without_its_interval_is_refused() -> None:
    with pytest.raises(InputError, match="needs its interval"):
        replace(SCORE, low=math.nan)
    with pytest.raises(InputError, match="upside down"):
        replace(SCORE, low=0.95)


def test_one_patient_has_a_value_and_no_interval() -> None:
    one = replace(SCORE, low=math.nan, high=math.nan, n=1)
    assert "no interval, n = 1" in str(one)
    assert one.to_json()["low"] is None


def test_a_score_is_written_with_interval_and_count() -> None:
    assert str(SCORE) == "0.910 [0.880, 0.930] (n = 12)"
    assert Score.from_json(SCORE.to_json()) == SCORE
    assert set(SCORE.to_json()) == {"name", "label", "value", "low", "high", "n", "unit"}


def test_a_receipt_is_an_in_toto_statement_and_comes_back() -> None:
    statement = json.loads(RECEIPT.to_statement())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["digest"]["sha256"] == "c" * 64
    assert Receipt.from_statement(RECEIPT.to_statement()) == RECEIPT


def test_any_change_of_a_receipt_changes_its_digest() -> None:
    assert replace(RECEIPT, who="lena").digest != RECEIPT.digest
    assert replace(RECEIPT, facts={"seed": 1}).digest != RECEIPT.digest
