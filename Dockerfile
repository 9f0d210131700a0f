# livekm without a window: docker build -t livekm . && docker run --rm -v "$PWD:/work" livekm in.mp4 -o out.mp4
# In a browser: docker run --rm -it -p 127.0.0.1:8000:8000 -v "$PWD:/work" livekm in.mp4 --serve 0.0.0.0:8000
FROM python:3.13-slim

COPY . /tmp/livekm
# OpenCV without a window needs none of the desktop's libraries.
RUN pip install --no-cache-dir "/tmp/livekm[web]" \
 && pip uninstall -y opencv-python \
 && pip install --no-cache-dir "opencv-python-headless>=4.13" \
 && rm -r /tmp/livekm

# Compiled here, for this processor; on another kind they are compiled again, where anybody may write.
ENV NUMBA_CACHE_DIR=/var/cache/livekm
RUN mkdir --mode=1777 $NUMBA_CACHE_DIR && livekm --warm-up && chmod -R a+rwX $NUMBA_CACHE_DIR

WORKDIR /work
ENTRYPOINT ["livekm"]
