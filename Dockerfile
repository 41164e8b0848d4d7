# The reference service in a container.
#
#   docker build -t aiserve-demo . && docker run --rm -p 8080:8080 aiserve-demo
#
# scripts/demo --prepare installs, builds and trains, as on a plain Debian 12.
FROM debian:bookworm-slim AS build
WORKDIR /aiserve
COPY . .
ENV XDG_CACHE_HOME=/var/cache
RUN scripts/demo --prepare

FROM debian:bookworm-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      libtorch1.13 libopenblas0-pthread libfmt9 libssl3 libbrotli1 libzstd1 dataset-fashion-mnist \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --no-create-home --shell /usr/sbin/nologin aiserve
COPY --from=build /aiserve/build/release/examples/service/aiserve_service /usr/local/bin/
COPY --from=build /var/cache/aiserve/fashion /var/lib/aiserve/fashion
USER aiserve
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r status <&3 && [[ $status == *' 200 '* ]]"]
ENTRYPOINT ["aiserve_service", "--model", "/var/lib/aiserve/fashion/fashion.pt", "--address", "0.0.0.0", "--port", "8080"]
