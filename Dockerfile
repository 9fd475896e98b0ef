# Images of the gateway, the services and the `chaos` command: `docker build --target gateway|services|chaos .`
#
# The programs are built in the stage `build`, their dependencies in a layer of their own. Where there is no Rust image, or
# they are built already, a folder `dist` with the programs takes that stage's place; RUST_IMAGE may then be any image.
# scripts/images does what fits this machine.
ARG DEBIAN_IMAGE=debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716
ARG RUST_IMAGE=rust:1.95-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082

# The sources without what tests need: a test that changes builds no program anew.
FROM ${RUST_IMAGE} AS sources
WORKDIR /src
COPY . .
RUN find . -name Cargo.toml -exec sed -i '/^\[\[\(test\|bench\|example\)\]\]/,/^$/d' {} +

# The manifests, and an empty file for each root of a crate: what the dependencies are built from. It is copied from here by
# content, so that the layer with the dependencies stays good until a manifest changes.
FROM sources AS manifests
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock \
      ! -path '*/src/lib.rs' ! -path '*/src/main.rs' ! -path '*/src/bin/*.rs' -delete \
 && find . -name lib.rs -exec truncate -s 0 {} + \
 && echo 'fn main() {}' >/tmp/main.rs && find . -name '*.rs' ! -name lib.rs -exec cp /tmp/main.rs {} \;

FROM ${RUST_IMAGE} AS build
WORKDIR /src
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
COPY --from=manifests /src .
RUN [ ! -e Cargo.toml ] || cargo build --release --locked -p host -p gateway -p services -p chaos-cli --bins
COPY --from=sources /src .
# Cargo goes by time, and the files that stood in for these are younger.
RUN if [ ! -e dist ]; then \
      find . -name '*.rs' -not -path './target/*' -exec touch {} + \
      && cargo build --release --locked -p host -p gateway -p services -p chaos-cli --bins \
      && mkdir dist && cd target/release && cp probe gateway user-service order-service product-service chaos /src/dist; \
    fi

# No shell is needed, no file is written, and no privilege: they run with a read-only root and all capabilities dropped.
FROM ${DEBIAN_IMAGE} AS program
# By which images check their health: they have no curl, and what runs in them shall not need one.
COPY --from=build /src/dist/probe /usr/local/bin/
USER 65534:65534
ENV BIND=0.0.0.0
STOPSIGNAL SIGTERM

FROM program AS gateway
COPY --from=build /src/dist/gateway /usr/local/bin/
ENV PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["probe", "/health/live"]
CMD ["gateway"]

# One image: its command says which service.
FROM program AS services
COPY --from=build /src/dist/user-service /src/dist/order-service /src/dist/product-service /usr/local/bin/
ENV PORT=8001
EXPOSE 8001 8002 8003
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["probe", "/health"]
CMD ["user-service"]

# Runs proxies (`proxy FILE`), any built-in program (`serve PROGRAM`), or scenarios. Health is whatever it runs says.
FROM program AS chaos
COPY --from=build /src/dist/chaos /usr/local/bin/
ENTRYPOINT ["chaos"]
CMD ["--help"]
