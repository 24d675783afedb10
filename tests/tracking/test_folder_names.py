"""Runs and their files lie in the data folder, whatever its path is made of."""

import pytest

from leukemia.tracking import mlflow_client


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a%20b", "q?1 #2"])
def test_runs_and_their_files_lie_in_the_data_folder(tmp_path, name, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    data = tmp_path / "made" / name
    client = mlflow_client.client(data)
    experiment = client.create_experiment("one", mlflow_client.artifacts(data))
    run = client.create_run(experiment)
    (tmp_path / "file.txt").write_text("x")
    client.log_artifact(run.info.run_id, str(tmp_path / "file.txt"))
    assert mlflow_client.database(data) == data / "mlflow.db"
    assert (data / "mlflow.db").is_file()
    assert [path.name for path in data.rglob("file.txt")] == ["file.txt"]
    client.download_artifacts(run.info.run_id, "file.txt", str(tmp_path))
    assert [path.name for path in data.parent.iterdir()] == [name]
