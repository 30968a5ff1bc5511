package keep

// NightDue is tested by itself.
var NightDue = nightDue
