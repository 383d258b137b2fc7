#!/usr/bin/env python3
"""The libraries of PyPI that search_bench times beside our index, in one process: faiss-cpu (flat, SQ8, HNSW) and USearch
(exact, HNSW). search_bench starts it; needs numpy, faiss-cpu and usearch.

Reads two .npy files of float32, templates and probes, makes the indexes, and prints a line of JSON: the names, the
versions, and how often each index that is approximate finds the best template. Then it answers each line of its input,
{"peer", "k", "batch", "threads", "seconds"}, with a line {"ms"}: the shortest search of the first probes, repeated for so
many seconds.
"""

import argparse
import json
import os
import sys
import time

import faiss
import numpy
import usearch
from usearch.index import Index, MetricKind, search

TRAINED_ON = 100_000  # rows, of SQ8
NEIGHBOURS = 32  # of a node of FAISS's HNSW; USearch has its own default
WIDTH = 64  # of a search in a graph


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", help="templates, a .npy file")
    parser.add_argument("probes", help="probes, a .npy file")
    parser.add_argument("--graphs", action="store_true", help="HNSW, too: takes minutes for 100,000 rows of 512 values")
    return parser.parse_args()


def of_faiss(index):
    """A search in an index of FAISS: the numbers of the rows found."""

    def find(probes, k, threads):
        faiss.omp_set_num_threads(threads)
        return index.search(probes, k)[1]

    return find


def exactly(rows):
    def find(probes, k, threads):
        return search(rows, probes, k, MetricKind.IP, exact=True, threads=threads).keys

    return find


def of_usearch(index):
    def find(probes, k, threads):
        return index.search(probes, k, threads=threads).keys

    return find


def scalar_quantizer(rows):
    index = faiss.IndexScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    index.train(rows[:TRAINED_ON])
    index.add(rows)
    return index


def flat(rows):
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index


def faiss_graph(rows):
    index = faiss.IndexHNSWFlat(rows.shape[1], NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = WIDTH
    index.add(rows)
    return index


def usearch_graph(rows):
    index = Index(ndim=rows.shape[1], metric=MetricKind.IP, dtype="f32", expansion_search=WIDTH)
    index.add(numpy.arange(len(rows)), rows)
    return index


def make_peers(rows, with_graphs):
    """Ways to search, by name, the exact flat one first."""
    peers = {
        "faiss-cpu flat": of_faiss(flat(rows)),
        "faiss-cpu SQ8": of_faiss(scalar_quantizer(rows)),
        "usearch exact": exactly(rows),
    }
    if with_graphs:
        peers["faiss-cpu HNSW"] = of_faiss(faiss_graph(rows))
        peers["usearch HNSW"] = of_usearch(usearch_graph(rows))
    return peers


def shares_found(peers, probes):
    """How often each finds the row that the first one finds."""
    cores = len(os.sched_getaffinity(0))
    best = {name: numpy.asarray(find(probes, 1, cores)).reshape(-1) for name, find in peers.items()}
    exact = next(iter(best.values()))
    return {name: float(numpy.mean(found == exact)) for name, found in best.items()}


def shortest_ms(find, probes, request):
    end = time.perf_counter() + request["seconds"]
    best = float("inf")
    while True:
        started = time.perf_counter()
        find(probes, request["k"], request["threads"])
        ended = time.perf_counter()
        best = min(best, ended - started)
        if ended >= end:
            return 1e3 * best


def main():
    arguments = parse_arguments()
    rows = numpy.load(arguments.rows)
    probes = numpy.load(arguments.probes)
    peers = make_peers(rows, arguments.graphs)
    versions = f"faiss-cpu {faiss.__version__} ({faiss.get_compile_options().strip()}), usearch {usearch.__version__}"
    print(json.dumps({"peers": list(peers), "versions": versions, "found": shares_found(peers, probes)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        ms = shortest_ms(peers[request["peer"]], probes[: request["batch"]], request)
        print(json.dumps({"ms": ms}), flush=True)


if __name__ == "__main__":
    main()
