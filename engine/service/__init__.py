"""The HTTP service: `landrules.engine.service.app.create_app` and what it is made of. Needs `landrules[service]`.

`settings` and `problems` import without it, so that a missing package can be told in a plain sentence.
"""
