# A static binary on an empty base: no shell, no package manager, no root.
#
#   docker build -t tollgate .
#   docker run -p 8787:8787 -v tollgate:/data tollgate
#
# The image listens on every interface and allows plain HTTP, because a
# container's port is published on purpose; put TLS in front, or mount a
# certificate and set TOLLGATE_TLS_CERT and TOLLGATE_TLS_KEY.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/tollgate ./cmd/tollgate \
 && mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tollgate /tollgate
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
ENV TOLLGATE_HOST=0.0.0.0 \
    TOLLGATE_ALLOW_HTTP=true \
    TOLLGATE_DATA_DIR=/data \
    TOLLGATE_LOG_FORMAT=json
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8787
STOPSIGNAL SIGTERM
ENTRYPOINT ["/tollgate"]
