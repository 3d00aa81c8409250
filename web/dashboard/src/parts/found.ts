/** By which detail a search has found an identity, where it is not what it is listed by. */
export const DETAILS: Record<string, string | undefined> = {
  IP: "same IP address",
  NETWORK: "same network",
  PHONE: "phone number",
  ADDRESS: "postal address",
  DATE_OF_BIRTH: "date of birth",
};
