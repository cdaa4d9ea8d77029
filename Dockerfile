# pgvigil in a container: docker build --build-arg VERSION=$(git describe --tags --always) -t pgvigil .
# deploy/compose_test.go keeps this file in step with go.mod, the Makefile and package.json.

# ECharts for the reports, bundled from the npm packages that package-lock.json pins.
FROM node:20.19.5-bookworm-slim AS assets
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY reports/assets reports/assets
RUN node reports/assets/build.mjs

# The program. The SQL parser and DuckDB are C and C++: cgo, and the same Debian as below.
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=assets /src/reports/assets/echarts.min.js reports/assets/echarts.min.js
ARG VERSION=dev
RUN CGO_ENABLED=1 go build -trimpath -ldflags "-X main.version=$VERSION" -o /out/pgvigil ./cmd/pgvigil

FROM debian:12.12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libstdc++6 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 pgvigil \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/pgvigil --create-home pgvigil
COPY --from=build /out/pgvigil /usr/local/bin/pgvigil
USER 10001:10001
WORKDIR /var/lib/pgvigil
VOLUME /var/lib/pgvigil
# The service answers on its socket, beside the history.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
  CMD ["pgvigil", "alerts", "list", "--server", "/var/lib/pgvigil/pgvigil.duckdb.sock"]
ENTRYPOINT ["pgvigil"]
CMD ["serve", "--config", "/etc/pgvigil/pgvigil.yaml"]
