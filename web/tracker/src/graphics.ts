// The graphics card and its driver, as WebGL knows them. Of what a context can be asked, this is what tells one driver
// from another at little cost: to turn on every extension and ask for every number takes the page ten times as long.

import { breathe } from "./breathe";

const LIMITS = [
  "ALIASED_LINE_WIDTH_RANGE", "ALIASED_POINT_SIZE_RANGE", "MAX_COMBINED_TEXTURE_IMAGE_UNITS", "MAX_CUBE_MAP_TEXTURE_SIZE",
  "MAX_FRAGMENT_UNIFORM_VECTORS", "MAX_RENDERBUFFER_SIZE", "MAX_TEXTURE_SIZE", "MAX_VARYING_VECTORS",
  "MAX_VERTEX_ATTRIBS", "MAX_VERTEX_UNIFORM_VECTORS", "MAX_VIEWPORT_DIMS",
] as const;
const SHADERS = ["VERTEX_SHADER", "FRAGMENT_SHADER"] as const;
const NUMBERS = ["LOW_FLOAT", "MEDIUM_FLOAT", "HIGH_FLOAT", "LOW_INT", "MEDIUM_INT", "HIGH_INT"] as const;

export interface Graphics {
  card?: { webglVendor: unknown; webglRenderer: unknown };
  driver?: unknown;
}

/** Nothing where there is no WebGL. */
export async function graphics(): Promise<Graphics> {
  const context = document.createElement("canvas").getContext("webgl");
  if (!context) return {};
  await breathe();
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const precisions = SHADERS.flatMap((shader) =>
    NUMBERS.map((number) => {
      const format = context.getShaderPrecisionFormat(context[shader], context[number]);
      return format && [format.rangeMin, format.rangeMax, format.precision];
    }),
  );
  // Some are pairs, in typed arrays.
  const limits = LIMITS.map((limit) => String(context.getParameter(context[limit])));
  const card = names && {
    webglVendor: context.getParameter(names.UNMASKED_VENDOR_WEBGL) as unknown,
    webglRenderer: context.getParameter(names.UNMASKED_RENDERER_WEBGL) as unknown,
  };
  return { ...(card && { card }), driver: { extensions: context.getSupportedExtensions(), limits, precisions } };
}
