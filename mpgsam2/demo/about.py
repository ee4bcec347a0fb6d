"""The foot of the page: what the mask prior can know of time."""

ABOUT = """
<section>
  <h2>What the mask prior knows of time</h2>
  <p>As published, the mask prior reads the frames without any position in time: reversing a clip only reverses its
  prior. Left or right, growing or shrinking can then be told apart only later, by the global context and the memory.
  Nano adds the frame index before the frame-joint layer.</p>
</section>"""
"""HTML."""
