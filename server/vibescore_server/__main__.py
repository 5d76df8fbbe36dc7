from vibescore_server.cli import main

main()
