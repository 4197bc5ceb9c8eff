package restauth
