import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server that `npm run dev` asks. */
const SERVER = "http://127.0.0.1:8080";

/** Libraries and parts that pages share; the charts and the graph come when they are needed. */
const SHARED = /node_modules\/(?!uplot|sigma|graphology|events)|src\/(app|parts)\/(?!Plot)|api\/src/;
/** With fewer, the first page would load what only forms need; with more, there would be more files. */
const MANY_PAGES = 8;

export default defineConfig({
  plugins: [react()],
  // The server puts a value of its own, another one each time, where this stands: see http/dashboard_files.rs.
  html: { cspNonce: "CSP_NONCE" },
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
    // What many pages need is one file, and not sixty, each of which would have to be asked for.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", test: SHARED, minShareCount: MANY_PAGES }] } } },
  },
  server: { proxy: { "/api": SERVER, "/dregs.js": SERVER } },
});
