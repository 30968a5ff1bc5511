# The webhook endpoint and the pollers. Built by deploy/build-images.sh.
FROM scratch
COPY rootfs/ /
# Loopback inside a container is out of reach; without ADMIN_TOKEN the metrics stay closed.
ENV TOUCHBOX_CONFIG=/etc/touchbox/touchbox.yaml INGEST_ADDR=:8080 INGEST_ADMIN_ADDR=:8081
USER 65532:65532
EXPOSE 8080 8081
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 CMD ["/ingest", "-healthcheck"]
ENTRYPOINT ["/ingest"]
