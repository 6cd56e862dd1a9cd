#!/bin/sh
# Make an Arm Python with onnxruntime that runs here through qemu-user, for tests of the kit's function, not of speed.
#   apt-get install qemu-user-static
#   export ADVISOR_ARM_PYTHON=$(tests/onboard/arm_python.sh FOLDER)
# Needs Debian or Ubuntu and pip; nothing outside FOLDER is changed. onnxruntime 1.32 crashes in qemu 7.2, 1.22 does not.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$folder"
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64)
mkdir -p lists/partial cache/archives/partial system site
arm="-o Dir::State::lists=$folder/lists -o Dir::Cache=$folder/cache -o APT::Architecture=arm64
     -o APT::Architectures=arm64 -o APT::Sandbox::User=root"
{
    apt-get $arm update
    python=$(apt-cache $arm depends python3-minimal | sed -n 's/.*Depends: \(python3\.[0-9]*\)-minimal$/\1/p' | head -1)
    apt-get $arm download "$python-minimal" "lib$python-minimal" "lib$python-stdlib" "$python" libc6 zlib1g libexpat1 \
        libssl3 libffi8 libbz2-1.0 liblzma5 libcrypt1 libgcc-s1 libstdc++6 libuuid1
    for package in ./*.deb; do dpkg -x "$package" system; done
    python3 -m pip download --dest wheels --only-binary=:all: --python-version "${python#python}" \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64 \
        "onnxruntime==1.22.1" numpy
    for wheel in wheels/*.whl; do python3 -m zipfile -e "$wheel" site; done
    printf '#!/bin/sh\nexec %s -L %s -E PYTHONPATH=%s %s "$@"\n' \
        "$qemu" "$folder/system" "$folder/site" "$folder/system/usr/bin/$python" > python
    chmod +x python
    ./python -c "import onnxruntime"
} >&2
echo "$folder/python"
