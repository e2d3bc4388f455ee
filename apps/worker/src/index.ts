export { chooseComponents, type ComponentName, componentNames, startComponents } from './components.ts';
