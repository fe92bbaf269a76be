"""The independent oracle: reads the provisions' own notation and shares no code with `landrules.engine`."""
