"""Generation of labeled photos and line strips: texts, pens, prints, scenes and damage."""
