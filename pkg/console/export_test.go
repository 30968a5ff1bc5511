package console

// APIRoutes are the addresses of the API, with their methods.
func APIRoutes() (routes []string) {
	for _, one := range apiTable() {
		routes = append(routes, one.pattern)
	}
	return routes
}
