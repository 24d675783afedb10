# One image for the dashboard and the REST service: compose.yaml says which of them a container is.
# Its steps are run by tests/deploy, in a folder of their own.
FROM python:3.11-slim-bookworm

# pg_dump and pg_restore, for `backup` and `restore` where the records are in PostgreSQL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app

COPY requirements.txt constraints.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY dashboard.py server.py LICENSE README.md ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY leukemia leukemia
COPY pages pages
COPY models models
# Compiled now: the file system is read-only later.
RUN python -m compileall -q leukemia pages dashboard.py server.py

RUN useradd --system --uid 10001 --no-create-home --home-dir /tmp leukemia \
    && install --directory --owner leukemia --mode 0700 /data
USER 10001

# Only /data and /tmp are written to.
ENV LEUKEMIA_DATA=/data \
    HOME=/tmp \
    KERAS_HOME=/tmp/keras \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_BASE_URL_PATH= \
    STREAMLIT_SERVER_HEADLESS=true

EXPOSE 8501 8600
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s --retries=4 \
    CMD ["python", "-m", "leukemia.health", "8501", "$STREAMLIT_SERVER_BASE_URL_PATH/_stcore/health"]
CMD ["python", "-m", "streamlit", "run", "server.py"]
