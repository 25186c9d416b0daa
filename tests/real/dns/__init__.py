"""The resolvers of glibc and musl, live, beside ours."""
