# What filters, renders and delivers. Built by deploy/build-images.sh.
FROM scratch
COPY rootfs/ /
# Loopback inside a container is out of reach; without ADMIN_TOKEN the metrics stay closed.
ENV TOUCHBOX_CONFIG=/etc/touchbox/touchbox.yaml WORKER_ADMIN_ADDR=:8082
USER 65532:65532
EXPOSE 8082
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 CMD ["/worker", "-healthcheck"]
ENTRYPOINT ["/worker"]
