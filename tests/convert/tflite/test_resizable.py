"""The sizes a graph holds inside are found in its file."""

import struct

import pytest

from convert.tflite.inspect import inspect_file
from convert.tflite.resizable import size_offsets
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle


@pytest.fixture(scope="module")
def bundle():
    return Bundle.open(DEFAULT_BUNDLE)


def test_offsets_lead_to_the_sizes_of_enlarged_maps(bundle):
    graph = bundle.graph("detector")
    content = graph.path.read_bytes()
    offsets = size_offsets(graph.path, inspect_file(graph.path).ops)
    sizes = {struct.unpack_from("<2i", content, offset) for offset in offsets}
    assert sizes == {(40, 40), (80, 80), (160, 160)}
    assert graph.spec.sizes == offsets


def test_graphs_without_enlarged_maps_have_none(bundle):
    path = bundle.graph("line").path
    assert size_offsets(path, inspect_file(path).ops) == ()
