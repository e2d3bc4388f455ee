# One image for every process; docker-compose.yml says which one a container runs.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --no-audit --no-fund && node tools/build.mjs
# What the bundles in dist/ leave out: the packages of npm, without what only the tools need.
RUN rm -rf node_modules && npm ci --omit=dev --workspaces --no-audit --no-fund \
  && rm -rf node_modules/@seneschal

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY LICENSE ./
# A new volume takes over the owner of the folder that it is put on.
RUN mkdir /data && chown node:node /data
ENV SENESCHAL_DATA_DIR=/data SENESCHAL_LISTEN=0.0.0.0:8008
VOLUME /data
EXPOSE 8008
USER node
CMD ["node", "dist/homeserver.mjs"]
