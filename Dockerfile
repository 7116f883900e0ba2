# One static program, the certificates of the public authorities, and nothing else: no shell, no libc, no root.
# docs/deploy.md says how to run it, and what of this file was tried where.

FROM docker.io/library/rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# With a target named, build scripts and macros are not linked statically, which they cannot be. Since glibc 2.34 a static
# program looks up names in /etc/hosts and DNS by itself. musl would do too, but its allocator takes four times as long.
RUN host="$(rustc --version --verbose | sed -n 's/^host: //p')" \
    && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --target "$host" \
    && scripts/image "target/$host/release/catchall" /image /state

FROM scratch
COPY --from=build /image/ /
# The folder comes as content of another: --chown leaves alone what is there already.
COPY --from=build --chown=65532:65532 /state/ /var/lib/
USER 65532:65532
WORKDIR /var/lib/catchall
VOLUME ["/var/lib/catchall"]
EXPOSE 8484
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/catchall", "healthcheck", "--settings", "/usr/share/catchall/settings.yml", "--settings", "/etc/catchall"]
ENTRYPOINT ["/usr/bin/catchall"]
CMD ["run", "--settings", "/usr/share/catchall/settings.yml", "--settings", "/etc/catchall"]
