# One image for every service; which one runs is the command: docker run syncline services/tracker/main.ts
# There is nothing to build: Node 24 runs the TypeScript as it is. It does so only outside node_modules, which is why
# the sources are copied to /app and never installed as a package.

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without the development dependencies (the image has its own Node), without the optional ones and without install
# scripts: those bring the embedded servers of the quickstart, and a cluster has real ones.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && npm cache clean --force

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY libs ./libs
COPY services ./services
COPY cli ./cli
COPY examples ./examples
# The image's own unprivileged user. Nothing in /app is his to change.
USER node
# No HEALTHCHECK here: only the tracker listens on a port, and compose asks it. A service that has lost NATS for good
# ends, and is started again by its restart policy.
ENTRYPOINT ["node"]
CMD ["cli/main.ts", "--help"]
