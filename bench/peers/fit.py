"""Fits one model of scikit-learn on the rows of two binary files and prints as JSON how long that took."""
import json
import resource
import sys
import time

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

folder, columns, algorithm, trees, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
x = numpy.fromfile(f'{folder}/x.f32', numpy.float32).reshape(-1, columns)
y = numpy.fromfile(f'{folder}/y.i32', numpy.int32)


def make(trees):
    if algorithm == 'random-forest':
        return RandomForestClassifier(trees, max_depth=16, max_features='sqrt', n_jobs=threads, random_state=1)
    return HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=31, min_samples_leaf=20, learning_rate=0.1, early_stopping=False, random_state=1)


# Threads are up, and what is loaded at the first use is loaded.
make(2).fit(x[:1000], y[:1000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
model = make(trees).fit(x, y)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({'seconds': wall, 'cpuSeconds': cpu, 'addedMb': (peak - before) * 1024 / 1e6, 'accuracy': float((model.predict(x) == y).mean())}))
