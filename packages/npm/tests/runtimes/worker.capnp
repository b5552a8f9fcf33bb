using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ ( name = "main", worker = .worker ) ],
);

const worker :Workerd.Worker = (
  modules = [
    ( name = "worker.js", esModule = embed "worker.bundle.js" ),
    ( name = "cardseal.wasm", wasm = embed "node_modules/cardseal/dist/esm/cardseal.wasm" ),
  ],
  compatibilityDate = "2025-01-01",
);
