"""Work on several cores or machines, on Ray: the cluster, workers that may be lost, finished parts."""
