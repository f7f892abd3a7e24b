# Where cibuildwheel builds (.github/workflows/wheels.yml): Debian 12 with one Python, the libraries that the wheel
# takes from Debian, and what tools/build_wheel --repair needs. cibuildwheel looks for Python in /opt/python.
ARG PYTHON=3.12
FROM python:${PYTHON}-bookworm
ARG PYTHON
COPY packages.txt install_packages progress.sh /tools/
RUN apt-get update && /tools/install_packages build python && mkdir /opt/python && \
    tag=cp$(echo ${PYTHON} | tr -d .) && ln -s /usr/local /opt/python/$tag-$tag
