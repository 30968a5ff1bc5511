# The operator's tool, the simulators, and `touchbox up` with its store in /data.
# Built by deploy/build-images.sh.
FROM scratch
COPY rootfs/ /
# Fresh volumes mounted here take this owner; `touchbox demo` keeps its store in /tmp.
COPY --chown=65532:65532 empty/ /data/
COPY --chown=65532:65532 empty/ /tmp/
ENV TOUCHBOX_CONFIG=/etc/touchbox/touchbox.yaml TOUCHBOX_DATA=/data INGEST_ADDR=:8080
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/touchbox"]
