# NATS with JetStream. Built by deploy/build-images.sh, which lays out rootfs/ and empty/.
FROM scratch
COPY rootfs/ /
COPY nats-compose.conf nats-users.conf /etc/nats/
# A fresh volume mounted here takes this owner.
COPY --chown=65532:65532 empty/ /data/
USER 65532:65532
EXPOSE 4222 6222 8222
# js-server-only: the first node of a cluster is healthy before there is a quorum.
HEALTHCHECK --interval=2s --timeout=3s --start-period=10s --retries=3 \
	CMD ["/touchbox", "healthcheck", "http://127.0.0.1:8222/healthz?js-server-only=true"]
ENTRYPOINT ["/nats-server"]
CMD ["-c", "/etc/nats/nats-compose.conf"]
