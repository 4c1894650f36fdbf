"""Generation of labeled photos and line images: texts, pens, prints, scenes, degradations."""
