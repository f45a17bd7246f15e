"""What a Python user would write in ten minutes: FastAPI, pydantic and scikit-learn, nothing tuned."""
from typing import List, Union

from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

data = load_iris()
names = data.target_names.tolist()
forest = RandomForestClassifier(n_estimators=60, max_depth=5, random_state=42).fit(data.data, data.target)

app = FastAPI()


class Iris(BaseModel):
    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Many(BaseModel):
    instances: List[Iris]


def predict_rows(rows: List[Iris]):
    table = [[row.sepal_length, row.sepal_width, row.petal_length, row.petal_width] for row in rows]
    probabilities = forest.predict_proba(table)
    classes = probabilities.argmax(axis=1)
    return [
        {"prediction": int(c), "class_name": names[c], "probabilities": p.tolist()}
        for c, p in zip(classes, probabilities)
    ]


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
def predict(body: Union[Many, Iris]):
    if isinstance(body, Many):
        return {"predictions": predict_rows(body.instances)}
    return predict_rows([body])[0]
