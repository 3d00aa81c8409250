<<<<<<<< HEAD:web/dashboard/dist/assets/IconX-WbysZZxo.js
import{rt as e}from"./shared-CTfhzSSz.js";var t=e(`outline`,`x`,`X`,[[`path`,{d:`M18 6l-12 12`,key:`svg-0`}],[`path`,{d:`M6 6l12 12`,key:`svg-1`}]]);export{t};
========
import{it as e}from"./shared-D524_iav.js";var t=e(`outline`,`x`,`X`,[[`path`,{d:`M18 6l-12 12`,key:`svg-0`}],[`path`,{d:`M6 6l12 12`,key:`svg-1`}]]);export{t};
>>>>>>>> wt:web/dashboard/dist/assets/IconX-CR5ELWW_.js
