import csv
import io

import pandas as pd

from leukemia.storage import spreadsheet


def test_text_stays_text_in_every_column_and_numbers_stay_numbers():
    table = pd.DataFrame({"file": ["＝1+1", "a.png"], "patient": ["=x", "-"], "hue": [-0.5, 2.0]})
    rows = list(csv.DictReader(io.StringIO(spreadsheet.to_csv(table))))
    assert rows == [
        {"file": "'＝1+1", "patient": "'=x", "hue": "-0.5"},
        {"file": "a.png", "patient": "'-", "hue": "2.0"},
    ]
