"""Writes scikit-learn's small datasets as CSV, each row with its fold, and prints the mean scores of its learners as JSON."""
import json
import sys

import numpy
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor,
)
from sklearn.model_selection import KFold, StratifiedKFold

folder, seeds = sys.argv[1], int(sys.argv[2])


def forest(kind, seed):
    shared = dict(n_estimators=100, max_depth=16, random_state=seed, n_jobs=2)
    if kind == 'classes':
        return RandomForestClassifier(max_features='sqrt', **shared)
    return RandomForestRegressor(max_features=1.0, **shared)


def boosting(kind, seed):
    shared = dict(max_iter=100, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=20, early_stopping=False, random_state=seed)
    return (HistGradientBoostingClassifier if kind == 'classes' else HistGradientBoostingRegressor)(**shared)


sources = {
    'iris': (datasets.load_iris, 'classes'),
    'wine': (datasets.load_wine, 'classes'),
    'cancer': (datasets.load_breast_cancer, 'classes'),
    'digits': (datasets.load_digits, 'classes'),
    'diabetes': (datasets.load_diabetes, 'values'),
}
answers = {}
for name, (load, kind) in sources.items():
    data = load()
    x, y = data.data.astype(numpy.float32), data.target
    splitter = (StratifiedKFold if kind == 'classes' else KFold)(5, shuffle=True, random_state=0)
    folds = list(splitter.split(x, y))
    fold = numpy.zeros(len(y))
    for i, (_, held) in enumerate(folds):
        fold[held] = i
    numpy.savetxt(f'{folder}/{name}.csv', numpy.c_[x, y, fold], delimiter=',', fmt='%.9g')
    answers[name] = {'kind': kind}
    for learner, make, runs in (('random-forest', forest, seeds), ('gradient-boosting', boosting, 1)):
        scores = [make(kind, seed).fit(x[a], y[a]).score(x[b], y[b]) for seed in range(runs) for a, b in folds]
        answers[name][learner] = float(numpy.mean(scores))
print(json.dumps(answers))
