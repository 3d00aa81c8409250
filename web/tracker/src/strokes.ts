// How a pointer goes: stroke by stroke, from one rest or sharp turn to the next. Each is told by its shape; where on
// the page it was is not.

export interface Stroke {
  /** Places at which the pointer was seen. */
  samples: number;
  /** From the first of them to the last, in CSS pixels. */
  x: number;
  y: number;
  /** How far from the straight line between these it was, at most, in CSS pixels. */
  bend: number;
  /** How uneven it was: the standard deviation of its steps, or of its speed if that is less, by the mean. */
  variation: number;
}

interface Place {
  x: number;
  y: number;
  at: number;
}

/** A shorter pause is the browser's or the connection's. */
const REST_MIN_MS = 80;
/** A pause is a rest if the pointer was so many times slower than before: while a page is busy it goes on, unseen. */
const REST_TIMES = 4;
/** Nothing goes on after it. */
const REST_MAX_MS = 1_500;
/** Places are whole pixels: of a shorter step one cannot say where it goes. */
const STEP_MIN_PX = 12;
/** Of a turn by 30 degrees. */
const TURN_MAX_COSINE = 0.866;
/** Of fewer places nothing is told: they may be straight and even by chance. */
const PLACES_MIN = 5;
/** A longer stroke is told in parts. */
const PLACES_MAX = 100;
/** Those that come later are left out. */
const STROKES_MAX = 20;

export class Strokes {
  private told: Stroke[] = [];
  private places: Place[] = [];

  move(x: number, y: number, at: number): void {
    const place = { x, y, at };
    const last = this.places[this.places.length - 1];
    if (last && distance(last, place) === 0) return;
    if (last && this.isRest(last, place)) this.close();
    this.places.push(place);
    this.turn();
    if (this.places.length === PLACES_MAX) this.close();
  }

  /** All strokes, the last one ended. */
  end(): Stroke[] {
    this.close();
    return this.told;
  }

  private isRest(last: Place, place: Place): boolean {
    const before = this.places[this.places.length - 2];
    const pause = place.at - last.at;
    const isSlower = before !== undefined && speed(last, place) * REST_TIMES < speed(before, last);
    return pause > REST_MAX_MS || (pause > REST_MIN_MS && isSlower);
  }

  /** Ends the stroke where the last step turns away from the step before the one between: that one belongs to
   *  neither side, since the corner may be within it. */
  private turn(): void {
    const { places } = this;
    const from = this.stepBefore(places.length - 1);
    const start = this.stepBefore(from - 1);
    const [a, b, c, d] = [places[start], places[from - 1], places[from], places[places.length - 1]];
    if (!a || !b || !c || !d) return;
    const along = (b.x - a.x) * (d.x - c.x) + (b.y - a.y) * (d.y - c.y);
    if (along > TURN_MAX_COSINE * distance(a, b) * distance(c, d)) return;
    this.places = places.slice(0, from);
    this.close();
    this.places = places.slice(from + 1);
  }

  /** The last place a step before this one; negative where there is none. */
  private stepBefore(index: number): number {
    const to = this.places[index];
    let at = index - 1;
    for (; to && at >= 0; at--) {
      const from = this.places[at];
      if (from && distance(from, to) >= STEP_MIN_PX) break;
    }
    return at;
  }

  private close(): void {
    const { places } = this;
    const [first, ...others] = places;
    const last = others[others.length - 1];
    this.places = [];
    if (!first || !last || places.length < PLACES_MIN || this.told.length === STROKES_MAX) return;
    const x = last.x - first.x;
    const y = last.y - first.y;
    const beside = others.map((place) => Math.abs((place.x - first.x) * y - (place.y - first.y) * x));
    const pairs = others.map((place, at): [Place, Place] => [places[at] ?? first, place]);
    const steps = pairs.map(([from, to]) => distance(from, to));
    const speeds = pairs.map(([from, to]) => speed(from, to));
    this.told.push({
      samples: places.length,
      x: Math.round(x),
      y: Math.round(y),
      bend: rounded(Math.max(...beside) / (Math.hypot(x, y) || 1), 10),
      variation: rounded(Math.min(variation(steps), variation(speeds)), 100),
    });
  }
}

function distance(from: Place, to: Place): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

/** In pixels by millisecond. */
function speed(from: Place, to: Place): number {
  return distance(from, to) / Math.max(1, to.at - from.at);
}

function variation(numbers: number[]): number {
  const { mean, deviation } = spread(numbers);
  return deviation / mean;
}

/** Mean and standard deviation. */
export function spread(numbers: number[]): { mean: number; deviation: number } {
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const variance = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0) / numbers.length;
  return { mean, deviation: Math.sqrt(variance) };
}

export function rounded(number: number, parts: number): number {
  return Math.round(number * parts) / parts;
}
