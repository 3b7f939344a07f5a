package lane

// Parse lets tests compare the lane's reading of a head with net/http's.
var Parse = parse
