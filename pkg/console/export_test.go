package console

// APIRoutes are the addresses of the API, with their methods.
func APIRoutes() (routes []string) {
	for _, one := range apiTable() {
		routes = append(routes, one.pattern)
	}
	return routes
}

// APIRoles are the roles that the addresses of the API ask for.
func APIRoles() map[string]Role {
	roles := map[string]Role{}
	for _, one := range apiTable() {
		roles[one.pattern] = one.needs
	}
	return roles
}

// Streams is how many streams are open.
func (c *Console) Streams() int {
	c.streams.mu.Lock()
	defer c.streams.mu.Unlock()
	return c.streams.all
}
