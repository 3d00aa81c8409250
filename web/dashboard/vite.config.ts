import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The server that `npm run dev` asks. */
const SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  // The server puts a value of its own, another one each time, where this stands: see http/dashboard_files.rs.
  html: { cspNonce: "CSP_NONCE" },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  server: { proxy: { "/api": SERVER, "/dregs.js": SERVER } },
});
