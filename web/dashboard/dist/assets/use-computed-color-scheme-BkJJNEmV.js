<<<<<<<< HEAD:web/dashboard/dist/assets/use-computed-color-scheme-CW10uaRc.js
import{O as e,j as t}from"./index-DRaiEPB_.js";function n(n,r={getInitialValueInEffect:!0}){let i=t(n,r),{colorScheme:a}=e();return a===`auto`?i:a}export{n as t};
========
import{E as e,k as t}from"./index-BkulVQlc.js";function n(n,r={getInitialValueInEffect:!0}){let i=t(n,r),{colorScheme:a}=e();return a===`auto`?i:a}export{n as t};
>>>>>>>> wo:web/dashboard/dist/assets/use-computed-color-scheme-BkJJNEmV.js
